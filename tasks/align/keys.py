"""Names for results: what has the same key has the same bytes."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from platform import machine
from typing import Any

import numpy as np
import PIL
import torch

import facenet
from facenet.detection import runtime_version
from tasks.align.work import Settings

CODE = ("detection/*.py", "images.py")  # of the facenet package


def detection_key(settings: Settings, device: str) -> str:
    """Return the key of what the detector finds in a photo."""
    return _key(detector=asdict(settings.detector), **_origin(device))


def face_key(settings: Settings, device: str) -> str:
    """Return the key of the stored face of a photo."""
    return _key(settings=asdict(settings), **_origin(device))


def _origin(device: str) -> dict[str, str]:
    return {"device": device, "runtime": runtime_version(device), "code": code_version()}


@cache
def code_version() -> str:
    """Return a digest of the code that finds and cuts out faces, and of the libraries that do the sums."""
    folder = Path(facenet.__file__).parent
    sources = [path for pattern in CODE for path in sorted(folder.glob(pattern))]
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
    versions = [torch.__version__, np.__version__, PIL.__version__, machine()]
    return _key(digests=digests, versions=versions)


def _key(**parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
