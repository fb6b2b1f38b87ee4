"""Record the files that train.init and train.schedule.file name: `python -m tasks.train.inputs`.

DVC always runs this step, and trains again if data/train_inputs.json has changed. A name in params.yaml stays
the same when the file behind it is replaced.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from facenet.atomic import write_text
from facenet.digests import file_digest
from facenet.errors import DownloadFailed, WeightsInvalid
from tasks import paths
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.params.train import TrainParams
from tasks.train.init import find_init


def record_inputs(params: TrainParams, target: Path, *, downloads: Path = paths.DOWNLOADS) -> None:
    """Write name and sha256 of each file to `target`; nothing is written for keys that are null.

    Weights that are not on this machine keep the entry of the last run, since the model may come from DVC's
    cache; without an entry they are downloaded.

    Raises:
        DownloadFailed, WeightsInvalid: train.init cannot be found.
    """
    former = _read(target)
    found = {}
    if params.init:
        found["init"] = _init_entry(params.init, former.get("init", {}), downloads)
    file = params.schedule.file
    if file and Path(file).is_file():  # if it is missing, stage train says so
        found["schedule"] = {"name": file, "sha256": file_digest(Path(file))}
    write_text(target, json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _init_entry(name: str, former: Mapping[str, str], downloads: Path) -> dict[str, str]:
    try:
        path = find_init(name, downloads=downloads, download=False)
    except (DownloadFailed, WeightsInvalid):
        if former.get("name") == name:
            return dict(former)
        path = find_init(name, downloads=downloads)
    return {"name": name, "sha256": file_digest(path)}


def _read(target: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the entries of the last run, none if the file is missing or damaged."""
    try:
        entries = json.loads(target.read_text(encoding="utf-8"))
        return {key: entry for key, entry in entries.items() if {"name", "sha256"} == entry.keys()}
    except (OSError, ValueError, AttributeError):
        return {}


def main() -> None:
    """Record the files that section train of params.yaml names."""
    record_inputs(load_params().train, paths.TRAIN_INPUTS)


if __name__ == "__main__":
    stage_main(main)
