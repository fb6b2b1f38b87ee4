"""The pretrained model as a folder like that of any model, written once per user.

It is written next to its place and renamed, so that concurrent processes never see a part of it. If the files
changed since, it is written again.
"""

import atexit
import json
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from facenet import networks
from facenet.atomic import write_text
from facenet.detection.weights import SHA256 as DETECTOR_SHA256
from facenet.detection.weights import save_mtcnn_weights
from facenet.digests import folder_digest, value_digest
from facenet.errors import StorageFailed
from facenet.model import save_model
from facenet.networks.dlib_file import packaged_dlib_file
from facenet.pretrained.card import pretrained_card
from facenet.pretrained.measured import measured, measured_faces
from facenet.user_cache import user_cache

FORMAT = 3  # to be raised when the files of the folder change in another way than by what `_key` covers
FILES = (
    *("facenet.safetensors", "model.json", "mtcnn.safetensors", "calibration.json", "evaluation.json"),
    "monitoring.json",
)
DIGEST = "sha256"  # file with the digest of the others


def folder() -> Path:
    """Return a folder with the files of a registered model, and evaluation.json: see `measured`.

    It lies in $XDG_CACHE_HOME/facenet-pipeline, by default ~/.cache/facenet-pipeline. If that is not
    writable, it is a temporary folder that is removed when the process ends.

    Raises:
        WeightsInvalid: a package that carries weights is missing or damaged.
    """
    try:
        target = user_cache() / f"dlib-resnet-{_key()}"
        if _is_whole(target):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".tmp-") as temporary:
            return _replace(_write(Path(temporary) / target.name), target)
    except (OSError, StorageFailed):
        return _temporary_folder()


def _key() -> str:
    """Return 16 hexadecimal digits that change with anything in the folder."""
    faces = measured_faces()
    counted = [faces.photos, faces.no_face, faces.centroid.tolist(), faces.rows.tobytes().hex()]
    return value_digest([FORMAT, pretrained_card().to_json(), DETECTOR_SHA256, measured(), counted])[:16]


def _is_whole(target: Path) -> bool:
    try:
        return (target / DIGEST).read_text() == _digest(target)
    except OSError:  # a file is missing
        return False


def _digest(target: Path) -> str:
    return folder_digest(*(target / name for name in FILES))


def _write(target: Path) -> Path:
    """Write the model to a new folder and return it."""
    target.mkdir()
    card = pretrained_card()
    network = networks.build(card.network.name, variant=card.network.variant)
    networks.load_state(network, packaged_dlib_file())
    card = save_model(network, card, weights=target / FILES[0], card_path=target / FILES[1])
    save_mtcnn_weights(target / FILES[2])
    found = measured()
    counted = {"histogram": _histogram(found["distances"])}
    calibration = {**counted, **found["calibration"], "weights_sha256": card.weights_sha256}
    write_text(target / FILES[3], _json(calibration))
    write_text(target / FILES[4], _json({key: found[key] for key in ("recipe", "evaluation", "distances")}))
    replace(measured_faces(), weights_sha256=card.weights_sha256).write(target / FILES[5])
    write_text(target / DIGEST, _digest(target))
    return target


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _replace(written: Path, target: Path) -> Path:
    """Move a whole folder to its place; a damaged one there makes room, another process's whole one stays."""
    if target.exists() and not _is_whole(target):
        target.rename(written.with_name("damaged"))  # removed with the temporary folder
    try:
        written.rename(target)
    except OSError:
        if not _is_whole(target):
            raise
    return target


@cache
def _temporary_folder() -> Path:
    root = Path(tempfile.mkdtemp(prefix="facenet-pretrained-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return _write(root / "model")


def _histogram(distances: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of measured.json, whose bins have one width, as calibration.json has them."""
    return {"width": distances["edges"][1], "same": distances["same"], "different": distances["different"]}
