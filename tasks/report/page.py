"""The page as a whole: the template's context, and the file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from facenet.atomic import write_text
from tasks import paths
from tasks.params import Params
from tasks.promotion.gates import is_number, passes, range_text
from tasks.report import curves, distributions, formatting, slices, subject_digests
from tasks.report.examples import leak_examples, worst_examples
from tasks.report.inputs import Findings, read_findings
from tasks.report.photos import photos_allowed
from tasks.report.table import Table
from tasks.report.tables import parameters, tables

if TYPE_CHECKING:
    from facenet.model import ModelCard

COMPARED = {"accuracy": "accuracy", "val": "VAL", "auc": "AUC", "eer": "EER"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The run that the page describes.

    params: of the run. card: the model's. registration: the receipt of the registered version, None if the
    model missed a gate. reports, pairs, aligned: where tables, names and faces are stored.
    """

    params: Params
    card: "ModelCard"
    registration: Mapping[str, Any] | None
    reports: Path = paths.REPORTS
    pairs: Path = paths.PAIRS
    aligned: Path = paths.ALIGNED


def write_page(path: Path, subject: Subject) -> None:
    """Write the page to `path`; its bytes depend only on the subject."""
    write_text(path, render(subject))


def render(subject: Subject) -> str:
    """Return the page as self-contained HTML: styles, charts and faces are inline."""
    environment = Environment(
        loader=PackageLoader("tasks.report"),
        autoescape=True,  # names of people and files are data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(formatting, name)
        for name in ("percent", "fixed", "count", "signed", "slice_name", "breakable")
    }
    style = environment.get_template("style.css").render()
    return environment.get_template("report.html").render(style=Markup(style), **_context(subject))  # noqa: S704


def _context(subject: Subject) -> dict[str, Any]:
    findings, params = read_findings(subject.reports), subject.params
    decisions = findings.tables["decisions"]
    photos = photos_allowed(params.register.report_photos, params.ingest.sources)
    accepts, rejects = worst_examples(decisions, pairs=subject.pairs, aligned=subject.aligned, photos=photos)
    sections = {field.name: getattr(params, field.name).model_dump(mode="json") for field in fields(params)}
    return {
        **findings.metrics,
        "card": subject.card,
        "params": params,
        "registration": subject.registration,
        "gates": _gates(findings, params),
        "champion": _champion(findings, subject.registration),
        "photos": photos,
        "charts": _charts(findings),
        "tables": {name: table for name, table in tables(findings).items() if table.rows},
        "parameters": parameters(sections),
        "operating_points": findings.tables["operating_points"],
        "digests": _digests(findings, subject),
        "false_accepts": accepts,
        "false_rejects": rejects,
        "leaked": leak_examples(findings.tables["leaks"], aligned=subject.aligned, photos=photos),
    }


def _charts(findings: Findings) -> dict[str, Any]:
    evaluation, read = findings.evaluation, findings.tables
    same = sum(row["same"] == "true" for row in read["decisions"])
    different = len(read["decisions"]) - same
    return {
        "roc": curves.roc(read["roc"], read["operating_points"], evaluation, different),
        "det": curves.det(read["roc"], evaluation, same, different),
        "distances": distributions.distances(read["decisions"], evaluation),
        "folds": distributions.folds(read["folds"], evaluation) if len(read["folds"]) > 1 else None,
        "slices": slices.slices(read["slices"], evaluation),
        "attributes": slices.attributes(read["slices"], evaluation),
        "reliability": curves.reliability(read["calibration"], evaluation),
        "training": curves.training(read["history"]),
    }


def _gates(findings: Findings, params: Params) -> Table:
    """Return each gate with the measured value."""
    rows = []
    for name, gate in params.register.gates.items():
        got = findings.evaluation.get(name)
        measured = (
            formatting.decimal(got, 6) if is_number(got) else formatting.NONE if got is None else str(got)
        )
        rows.append(
            (name.replace("_", " "), range_text(gate), measured, "yes" if passes(got, gate) else "NO")
        )
    return Table("Gates", ("Metric", "Required", "Measured", "Passed"), rows)


def _champion(findings: Findings, registration: Mapping[str, Any] | None) -> Table | None:
    """Return the metrics next to the champion's, None if there is no other model to compare with."""
    champion = registration["champion"] if registration else None
    if registration is None or champion is None or champion["version"] == registration["version"]:
        return None
    rows = []
    for name, meaning in COMPARED.items():
        ours, theirs = findings.evaluation[name], champion["figures"].get(name)
        gain = formatting.signed(ours - theirs) if theirs is not None else formatting.NONE
        rows.append((meaning, formatting.fixed(ours), formatting.fixed(theirs), gain))
    head = ("Metric", "This model", "Champion", "Points")
    return Table(f"Compared with the champion, version {champion['version']}", head, rows)


def _epoch(selection: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the row that says which epoch the weights are of; none for cards without it."""
    if not selection:
        return []
    return [("weights, epoch", f"{selection['epoch']} of {selection['epochs']}: {selection['reason']}")]


def _digests(findings: Findings, subject: Subject) -> Table:
    """Return the identifiers of the data, the code and the model."""
    card, registration = subject.card, subject.registration or {}
    rows = [
        ("training commit", card.commit or formatting.NONE),
        (subject_digests.WEIGHTS, card.weights_sha256),
        *_epoch(card.selection),
        *((f"data {name}, sha256", digest) for name, digest in sorted(card.data.items())),
        ("evaluated pairs, sha256", findings.evaluation["pairs_sha256"]),
        ("decisions, sha256", findings.evaluation["decisions_sha256"]),
        ("MLflow run", registration.get("run_id") or card.run_id or formatting.NONE),
        (subject_digests.REGISTERED, registration.get("digest", formatting.NONE)),
    ]
    return Table("Digests", ("What", "Value"), rows, (1,))
