"""The registry as one JSON document, from which aliases, versions and history are rebuilt on a new server.

Versions are known by the digest of their model: a new server numbers them from 1 again.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facenet.atomic import write_text
from facenet.errors import DataInvalid
from tasks import paths
from tasks.promotion.aliases import BEFORE
from tasks.promotion.decision import ROLLED_BACK
from tasks.tracking import TrackingFailed, history, start_run
from tasks.tracking.models import adopt
from tasks.tracking.registry import (
    CHALLENGER,
    aliases,
    create_version,
    describe_version,
    download,
    find_version,
    location,
    set_alias,
    tag_version,
    versions,
)
from tasks.tracking.registry_lock import registry_lock
from tasks.tracking.runs import PROMOTIONS

FORMAT = 1
FILE = paths.REPORTS / "promotions-export.json"


def export(model: str) -> dict[str, Any]:
    """Return the versions of a model with their tags and metrics, its aliases and its history."""
    return {
        "format": FORMAT,
        "model": model,
        "aliases": aliases(model),
        "versions": [
            {
                "version": version.number,
                "digest": version.tags.get("digest"),
                "location": location(version),
                "tags": version.tags,
                "metrics": version.metrics,
                "description": version.description,
            }
            for version in versions(model)
        ],
        "history": [{"status": entry.status, "record": entry.record} for entry in history.entries(model)],
    }


def write_export(model: str, path: Path = FILE) -> None:
    """Write the export of a model to a file."""
    write_text(path, json.dumps(export(model), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_export(path: Path) -> dict[str, Any]:
    """Return an exported document.

    Raises:
        DataInvalid: the file does not exist or is not an export.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] == FORMAT:
            return dict(document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataInvalid(
            f"{path} is not an export: {error}. Write one with `python -m flows.promotion export {path}`."
        ) from error
    raise DataInvalid(f"{path} has the unsupported format {document['format']}, expected {FORMAT}.")


def restore(document: Mapping[str, Any]) -> list[str]:
    """Rebuild on this server what an export has and the server lacks; return what could not be, in sentences.

    A version that is not registered is registered again from its files, if they are still where they were.
    Aliases that exist are moved, except `challenger`. Restoring again completes what was not possible before.

    Raises:
        DataInvalid: the server has another history of promotions.
    """
    model = str(document["model"])
    with registry_lock(model):
        _restore_history(model, document["history"])
        named = {version["version"]: version for version in document["versions"]}
        wanted = _needed(document["aliases"], named)
        numbers, missing = _restore_versions(model, [named[number] for number in wanted])
        present = aliases(model)
        for alias, number in sorted(document["aliases"].items()):
            if number in numbers and not (alias == CHALLENGER and alias in present):
                set_alias(model, alias, numbers[number])
    return missing


def _restore_history(model: str, exported: list[dict[str, Any]]) -> None:
    present = history.entries(model)
    for entry, known in zip(present, exported, strict=False):
        if entry.record != known["record"]:
            raise DataInvalid(
                f"The server has another history of {model}: record {entry.record['number']} differs. "
                f"Restore an export of this server, or delete the experiment {PROMOTIONS}."
            )
    for known in exported[len(present) :]:
        record = known["record"]
        history.restore(record, metrics=record.get("figures") or {}, status=known["status"])


def _needed(holders: Mapping[str, int], named: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """Return the versions that have an alias, and those to which rollbacks lead, oldest first."""
    found, ahead = set(), [number for number in holders.values() if number in named]
    while ahead:
        number = ahead.pop()
        found.add(number)
        before = named[number]["tags"].get(BEFORE)
        if before and int(before) in named and int(before) not in found:
            ahead.append(int(before))
    return sorted(found)


def _restore_versions(model: str, exported: list[dict[str, Any]]) -> tuple[dict[int, int], list[str]]:
    """Return the present number of each exported version, and a sentence for each that is missing."""
    numbers: dict[int, int] = {}
    missing = []
    for known in exported:
        version = find_version(model, "digest", str(known["digest"])) if known["digest"] else None
        try:
            numbers[known["version"]] = version.number if version else _register(model, known)
        except (TrackingFailed, OSError):
            commit = known["tags"].get("commit", "its commit")
            missing.append(
                f"Version {known['version']} is not registered, and {known['location']} does not have it. "
                f"Check out {commit}, run `dvc pull` and `dvc repro register`, and restore again."
            )
    for known in exported:
        if known["version"] in numbers:
            tag_version(model, numbers[known["version"]], _chain(known["tags"], numbers))
    return numbers, missing


def _chain(tags: Mapping[str, str], numbers: Mapping[int, int]) -> dict[str, str]:
    """Return the tags by which a rollback finds its way, with the present numbers."""
    found = {ROLLED_BACK: tags[ROLLED_BACK]} if ROLLED_BACK in tags else {}
    if BEFORE in tags:
        before = numbers.get(int(tags[BEFORE])) if tags[BEFORE] else None
        found[BEFORE] = str(before) if before else ""
    return found


def _register(model: str, known: Mapping[str, Any]) -> int:
    """Register a version again from the files that the former server has left, and return its number."""
    with tempfile.TemporaryDirectory() as scratch:
        files = download(str(known["location"]), Path(scratch))
        run = start_run(
            name=f"restored {model} {known['version']}", tags={"rebuilt_for": str(known["digest"])}
        )

        def save(folder: Path, model_id: str) -> None:
            shutil.copytree(files, folder)
            adopt(folder, run_id=run.run_id, model_id=model_id)

        made = create_version(model, run, save=save, tags=known["tags"], metrics=known["metrics"])
        run.end("FINISHED")
    describe_version(made, str(known["description"]))
    return made.number
