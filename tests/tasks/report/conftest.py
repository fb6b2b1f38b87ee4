"""A small run with real faces that the stage evaluate has judged, and its page."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from facenet.model import ModelCard
from tasks.evaluate.stage import run
from tasks.params import Params, parse_params
from tasks.params.sources import OrlSource
from tasks.report.page import Subject, render
from tasks.reports import write_report
from tests.tasks.evaluate.conftest import PARAMS, build_workspace

COUNTED: dict[str, dict[str, Any]] = {
    "ingest": {
        "found": 43,
        "kept": 40,
        "identities": 10,
        "train": {"images": 0, "identities": 0},
        "evaluate": {"images": 40, "identities": 10},
        "rejected": {"too_small": 2, "corrupt": 1},
        "excluded_identities": {"count": 0, "names": []},
        "sources": {"orl": {"found": 43, "kept": 40, "identities": 10}},
    },
    "align": {
        "images": 40,
        "faces": 40,
        "fallbacks": 1,
        "rejected": {},
        "faces_per_photo": {"1": 39, "0": 1},
    },
    "triplets": {"identities_train": 2, "images_train": 8, "identities_validation": 0},
    "train": {"epochs": 3, "steps": 12, "images": 8, "identities": 2, "parameters": 1000},
}
HISTORY = [
    ("epoch", "loss", "lr", "validation_accuracy"),
    ("1", "3.5", "0.001", "0.5"),
    ("2", "2.5", "0.002", "0.6"),
    ("3", "1.5", "0", "0.75"),
]
REGISTRATION: dict[str, Any] = {
    "model": "facenet",
    "version": 4,
    "aliases": ["challenger"],
    "digest": "d" * 64,
    "run_id": "e" * 32,
    "champion": None,
}


@dataclass(frozen=True)
class Reported:
    """A subject whose reports can be changed, and its page."""

    subject: Subject

    def page(self, **changes: Any) -> str:
        """Return the page, other fields of the subject given."""
        return render(replace(self.subject, **changes))

    def rows(self, name: str) -> list[list[str]]:
        """Return a table as its cells, the header first."""
        with (self.subject.reports / f"{name}.csv").open(newline="") as file:
            return list(csv.reader(file))

    def write_rows(self, name: str, rows: Sequence[Sequence[str]]) -> None:
        """Replace a table."""
        with (self.subject.reports / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)

    def change_metrics(self, name: str, **changes: Any) -> None:
        """Replace metrics of a stage; None takes one away."""
        path = self.subject.reports / f"{name}.json"
        metrics = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: value for key, value in metrics.items() if value is not None}))

    def params(self, section: str, **changes: Any) -> Params:
        """Return the parameters with other values in a section."""
        params = self.subject.params
        return replace(params, **{section: getattr(params, section).model_copy(update=changes)})


@pytest.fixture(scope="session")
def evaluated(
    tmp_path_factory: pytest.TempPathFactory, orl_photos: list[tuple[str, bytes]], root: Path
) -> Subject:
    """The subject of the page: evaluate has run for real, the metrics of the stages before are given."""
    space = build_workspace(tmp_path_factory.mktemp("reported"), orl_photos)
    reports, params = space.paths["reports"], parse_params((root / "params.yaml").read_text())
    metrics = run(PARAMS, space.files, device="cpu", seed=7, sources=(OrlSource(kind="orl"),))
    for name, counted in {**COUNTED, "evaluation": metrics}.items():
        write_report(reports / f"{name}.json", counted)
    subject = Subject(
        params=replace(params, evaluate=PARAMS),
        card=ModelCard.read(space.paths["card"]),
        registration=REGISTRATION,
        reports=reports,
        pairs=space.paths["pairs"],
        aligned=space.paths["aligned"],
    )
    Reported(subject).write_rows("history", HISTORY)
    return subject


@pytest.fixture
def reported(evaluated: Subject, tmp_path: Path) -> Reported:
    """A copy of the run whose reports a test may change."""
    shutil.copytree(evaluated.reports, tmp_path / "reports")
    return Reported(replace(evaluated, reports=tmp_path / "reports"))


@pytest.fixture(scope="session")
def page(evaluated: Subject) -> str:
    """The page of the run."""
    return render(evaluated)
