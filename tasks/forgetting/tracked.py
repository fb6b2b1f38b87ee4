"""MLflow: artifacts and tags of runs and models that have the person."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tasks import paths
from tasks.forgetting import sqlite
from tasks.forgetting.inspection import Inspection, may_show_faces
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.tracking import artifacts
from tasks.tracking.artifacts import Owner
from tasks.tracking.provenance import FOLDER, LOCK
from tasks.tracking.store import sqlite_path, tracking_uri

SKIPPED = ("code/", ".safetensors")  # programs and weights have nothing of a person that could be recognised
DATA = (paths.RAW.as_posix(), paths.ALIGNED.as_posix())  # outputs that have everybody
NAMED = ("reports/", "decisions/", "params/")  # folders of a run in which people are named
GONE = "(forgotten)"


@dataclass
class TrackedArtifacts:
    """The artifacts and tags of the tracking store."""

    name: str = "MLflow"

    def find(self, person: Person) -> list[Finding]:
        """Return a finding for each artifact, tag and parameter.

        A picture counts if the data of its run had the person, or if nobody knows.
        """
        inspection = Inspection(person)
        found = []
        with tempfile.TemporaryDirectory(prefix="facenet-forget-") as folder:
            for owner in artifacts.owners():
                found += [
                    Finding(f"{owner.kind} {owner.id}: {path}")
                    for path in self._paths(owner, person, inspection, Path(folder))
                ]
                found += _values(owner, inspection)
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Delete the artifacts, replace the tags, and rewrite the database if it is a file."""
        del person
        wanted = {finding.what for finding in findings}
        for owner in artifacts.owners():
            start = f"{owner.kind} {owner.id}: "
            for what in sorted(wanted):
                if what.startswith(f"{start}tag "):
                    artifacts.replace_tag(owner, what.removeprefix(f"{start}tag "), GONE)
                elif what.startswith(start):
                    artifacts.delete(owner, what.removeprefix(start))
        database = sqlite_path(tracking_uri())
        if database is not None and database.exists():
            sqlite.rewrite(database)

    def _paths(self, owner: Owner, person: Person, inspection: Inspection, folder: Path) -> Iterator[str]:
        listed = [
            path
            for path in artifacts.files(owner)
            if not (path.startswith(SKIPPED[0]) or path.endswith(SKIPPED[1]))
        ]
        shown = had_person(owner, listed, person, folder) != "no" if owner.kind == "run" else False
        for path in listed:
            file = artifacts.fetch(owner, path, folder)
            named = owner.kind == "run" and path.startswith(NAMED)
            if inspection.holds(file, names=named) or (
                shown and may_show_faces(file.name, file.read_bytes())
            ):
                yield path


def had_person(owner: Owner, listed: Sequence[str], person: Person, folder: Path) -> str:
    """Return whether the data of a run had the person, by its dvc.lock: yes, no or unknown."""
    lock = f"{FOLDER}/{LOCK}"
    if lock not in listed:
        return "unknown"
    text = artifacts.fetch(owner, lock, folder).read_text()
    stages = (yaml.safe_load(text) or {}).get("stages", {})
    outs = [out for stage in stages.values() for out in stage.get("outs", ())]
    md5s = {out["md5"] for out in outs if out["path"] in DATA}
    if md5s & person.versions:
        return "yes"
    return "no" if md5s & person.other_versions else "unknown"


def _values(owner: Owner, inspection: Inspection) -> Iterator[Finding]:
    for name, value in sorted(owner.tags.items()):
        if not name.startswith("mlflow.") and value != GONE and inspection.holds_value(value):
            yield Finding(f"{owner.kind} {owner.id}: tag {name}", Action.REWRITE)
    for name, value in sorted(owner.params.items()):
        if inspection.holds_value(value):
            note = "MLflow does not change parameters: delete the run with `mlflow gc`"
            yield Finding(f"{owner.kind} {owner.id}: parameter {name}", Action.LEFT, note)
