"""reports/label_audit.html: the suspects with their faces, and those they are compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from facenet.atomic import write_text
from tasks.audit.suspects import KINDS, Suspect
from tasks.params import Params
from tasks.report import formatting
from tasks.report.photos import data_uris
from tasks.report.svg import ONE, TWO, chart

SHOWN = 200  # suspects on the page; the table has all
BINS = 20
TITLES = {
    "outlier": "wrong name",
    "split": "one person, two names",
    "merged": "two people, one name",
    "duplicate": "the same photo twice",
    "unusable": "of no use",
    "burst": "a series of equal photos",
}


@dataclass(frozen=True)
class Shown:
    """A suspect with data URIs of its face and of the one it is compared with; None without."""

    suspect: Suspect
    face: str | None
    other: str | None


def write_page(
    path: Path, suspects: Sequence[Suspect], report: Mapping[str, Any], params: Params, aligned: Path
) -> None:
    """Write the page; its bytes depend only on the arguments and the faces.

    It stays in the workspace, and shows faces unless register.report_photos is never.
    """
    shown = suspects[:SHOWN]
    photos = params.register.report_photos != "never"
    wanted = {digest for s in shown for digest in (s.digest, s.other_digest) if digest}
    faces = data_uris(aligned, wanted) if photos else {}
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("tasks.audit"), PackageLoader("tasks.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(formatting, name) for name in ("percent", "count", "breakable")}
    style = environment.get_template("style.css").render()
    text = environment.get_template("label_audit.html").render(
        style=Markup(style),  # noqa: S704
        report=report,
        total=len(suspects),
        shown=[Shown(s, faces.get(s.digest), faces.get(s.other_digest)) for s in shown],
        photos=photos,
        chart=_chart(suspects) if suspects else None,
        kinds=[(TITLES[kind], report["suspects"][kind], report["findings"][kind]) for kind in KINDS],
        titles=TITLES,
    )
    write_text(path, text)


def _chart(suspects: Sequence[Suspect]) -> Markup:
    """Return the numbers of suspects by probability: wrong names, and the other kinds on top of them."""
    edges = np.linspace(0, 1, BINS + 1)
    names = np.histogram([s.probability for s in suspects if s.kind == "outlier"], edges)[0]
    others = np.histogram([s.probability for s in suspects if s.kind != "outlier"], edges)[0]

    def draw(axes: Any) -> None:
        centres, width = (edges[:-1] + edges[1:]) / 2, 0.8 / BINS
        axes.bar(centres, names, width, color=ONE, label="wrong name")
        axes.bar(centres, others, width, bottom=names, color=TWO, label="other kinds")
        axes.set(xlabel="probability", ylabel="suspects", xlim=(0, 1))
        axes.legend()

    likely = sum(suspect.probability >= 0.5 for suspect in suspects)
    return chart(
        draw,
        name="probabilities",
        title="Suspects by probability",
        description=f"{likely} of {len(suspects)} suspects have a probability of at least 0.5.",
    )
