"""Cache keys of detections and faces: the same key guarantees the same bytes."""

from dataclasses import asdict
from typing import Any

from facenet.detection import runtime_version
from facenet.digests import code_digest, value_digest
from tasks.align.work import Settings

# The code that determines the results of tasks.align.work, and the libraries it uses.
CODE = (
    "facenet.detection",
    "facenet.devices",
    "facenet.images",
    "facenet.memory",
    "tasks.align.rows",
    "tasks.align.work",
    "tasks.shards",
)
LIBRARIES = ("numpy", "pillow", "torch")


def detection_key(settings: Settings, device: str) -> str:
    """Return the cache key of detections: 16 hexadecimal digits."""
    if settings.crop.method == "none":
        return _key(detector=None, **_origin(device))
    return _key(detector=asdict(settings.detector), **_origin(device))


def face_key(settings: Settings, device: str) -> str:
    """Return the cache key of aligned faces: 16 hexadecimal digits."""
    return _key(settings=asdict(settings), **_origin(device))


def _origin(device: str) -> dict[str, str]:
    return {"device": device, "runtime": runtime_version(device), "code": code_digest(CODE, LIBRARIES)}


def _key(**parts: Any) -> str:
    return value_digest(parts)[:16]
