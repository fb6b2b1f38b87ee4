"""What LFW View 2 measured with dlib's network: its calibration in measured.json, and monitoring.json.

`make bench-pretrained` writes the files. They belong to dlib's file, by sha256, and to the card's alignment.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from facenet.errors import WeightsInvalid
from facenet.monitoring.reference import Reference
from facenet.networks.dlib_file import SHA256

FILE = "measured.json"
FORMAT = 1
REFERENCE = "monitoring.json"


@cache
def measured() -> dict[str, Any]:
    """Return the content of measured.json.

    format, init_sha256: of dlib's file. recipe: what was run. evaluation: metrics of the protocol. distances:
    counts of same and different pairs between consecutive edges. calibration: the content of calibration.json
    but for weights_sha256.

    Raises:
        WeightsInvalid: the file is damaged or belongs to other weights.
    """
    try:
        content: dict[str, Any] = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
        found = content["format"], content["init_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsInvalid(f"facenet/pretrained/{FILE} is damaged: {error}. Install it again.") from error
    if found != (FORMAT, SHA256):
        raise WeightsInvalid(
            f"facenet/pretrained/{FILE} belongs to {found}, expected {(FORMAT, SHA256)}. Install it again."
        )
    return content


@cache
def measured_faces() -> Reference:
    """Return the content of monitoring.json: measures of the faces of LFW, with the sha256 of dlib's file.

    Raises:
        WeightsInvalid: the file is damaged or belongs to other weights.
    """
    try:
        text = files(__package__).joinpath(REFERENCE).read_text(encoding="utf-8")
        reference = Reference.parse(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsInvalid(
            f"facenet/pretrained/{REFERENCE} is damaged: {error}. Install it again."
        ) from error
    if reference.weights_sha256 != SHA256:
        raise WeightsInvalid(
            f"facenet/pretrained/{REFERENCE} belongs to {reference.weights_sha256}, expected {SHA256}. "
            "Install it again."
        )
    return reference
