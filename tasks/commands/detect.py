"""`facenet detect`: detect faces in photos and print them as text or JSON, or draw them into copies."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facenet.detection import MTCNN, DetectorSettings, Faces
from facenet.devices import resolve_device
from facenet.errors import ImageRejected, ParamsInvalid, SourceInvalid
from facenet.images import decode
from tasks.commands.drawing import write_drawing

GROUP_PHOTOS, GROUP_PIXELS = (
    32,
    2**23,
)  # at most per group of photos decoded together, unless a single photo has more
MAX_FILE_BYTES = 200_000_000
DECIMALS = 3, 6  # for pixels and probabilities in JSON


@dataclass(frozen=True)
class Found:
    """One path on the command line: its photo's pixels (H, W, 3) and detected faces, or an error."""

    path: str
    pixels: NDArray[np.uint8] | None = None
    faces: Faces | None = None
    error: str = ""


def run(arguments: argparse.Namespace) -> None:
    """Detect faces in the photos on the command line, in order, and print or draw them.

    Raises:
        ParamsInvalid: a detector setting is out of range, or the output folder cannot be created.
        SourceInvalid: at the end, if any photo could not be read.
    """
    drawings = _drawings(arguments.photos, arguments.out)
    detector = MTCNN(_settings(arguments), device=resolve_device(arguments.device))
    failed = 0
    with tqdm(total=len(arguments.photos), desc="detect", unit=" photos", mininterval=1, delay=1) as progress:
        for number, found in enumerate(search(detector, arguments.photos)):
            failed += found.faces is None
            if arguments.out is not None and found.pixels is not None and found.faces is not None:
                _draw(drawings[number], found.pixels, found.faces)
            separator = "," if number else "["
            _print(
                f"{separator}\n{json.dumps(as_json(found), allow_nan=False)}"
                if arguments.json
                else line(found)
            )
            progress.update()
        if arguments.json:
            _print("\n]\n")
    if failed:
        raise SourceInvalid(
            f"{failed} of {len(arguments.photos)} photos could not be read; the output says why."
        )


def search(detector: MTCNN, paths: Iterable[str]) -> Iterator[Found]:
    """Yield the result for each path, in order; holds one group of photos in memory."""
    for group in _groups(_read(path) for path in paths):
        faces = iter(detector.detect([photo.pixels for photo in group if photo.pixels is not None]))
        for photo in group:
            yield photo if photo.pixels is None else Found(photo.path, photo.pixels, next(faces))


def as_json(found: Found) -> dict[str, Any]:
    """Return {path, faces: [{box, probability, landmarks}]}, or {path, error}.

    box: x0 y0 x1 y1 in pixels of the upright photo. landmarks: five x y, in the order of `Faces`.
    """
    if found.faces is None:
        return {"path": found.path, "error": found.error}
    pixel, share = DECIMALS
    columns = (found.faces.boxes, found.faces.probabilities, found.faces.landmarks)
    return {
        "path": found.path,
        "faces": [
            {
                "box": [round(edge, pixel) for edge in box.tolist()],
                "probability": round(float(probability), share),
                "landmarks": [[round(x, pixel), round(y, pixel)] for x, y in points.tolist()],
            }
            for box, probability, points in zip(*columns, strict=True)
        ],
    }


def line(found: Found) -> str:
    """Return one line for people: path, size, number of faces, and size and probability of each."""
    path = found.path.encode(errors="surrogateescape").decode(errors="replace")
    if found.faces is None or found.pixels is None:
        return f"{path}  cannot be read: {' '.join(found.error.split())}\n"
    sizes = [
        f"{x1 - x0:.0f} x {y1 - y0:.0f} (p {probability:.4f})"
        for (x0, y0, x1, y1), probability in zip(found.faces.boxes, found.faces.probabilities, strict=True)
    ]
    height, width = found.pixels.shape[:2]
    count = {0: "no face", 1: "1 face: "}.get(len(sizes), f"{len(sizes)} faces: ")
    return f"{path}  {width} x {height}  {count}{', '.join(sizes)}\n"


def _print(text: str) -> None:
    if sys.stdout.isatty():
        tqdm.write(text, file=sys.stdout, end="")  # lifts the progress bar out of the way
    else:
        sys.stdout.write(text)


def _settings(arguments: argparse.Namespace) -> DetectorSettings:
    names = ("min_face", "thresholds", "factor", "max_side")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if "thresholds" in given:
        given["thresholds"] = tuple(given["thresholds"])
    return DetectorSettings(**given)


def _read(path: str) -> Found:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)  # a device may be endless
        if len(data) > MAX_FILE_BYTES:
            return Found(path, error=f"More than {MAX_FILE_BYTES} bytes.")
        return Found(path, decode(data))
    except ImageRejected as rejection:
        return Found(path, error=str(rejection))
    except (OSError, ValueError) as error:  # missing, a folder, or an invalid file name
        return Found(path, error=getattr(error, "strerror", None) or str(error))


def _groups(photos: Iterable[Found]) -> Iterator[list[Found]]:
    group: list[Found] = []
    pixels = 0
    for photo in photos:
        group.append(photo)
        pixels += 0 if photo.pixels is None else photo.pixels.size // 3
        if len(group) == GROUP_PHOTOS or pixels >= GROUP_PIXELS:
            yield group
            group, pixels = [], 0
    if group:
        yield group


def _drawings(paths: list[str], out: Path | None) -> list[Path]:
    """Return the output path of each photo: its path relative to the common folder, plus .png.

    No two photos share an output path, since the original suffix stays part of the name.
    """
    if out is None:
        return []
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParamsInvalid(f"--out: cannot create {out}: {error.strerror}. Name another folder.") from error
    whole = [os.path.abspath(path) for path in paths]  # noqa: PTH100  # resolve() would follow links
    common = os.path.commonpath([os.path.dirname(path) for path in whole])  # noqa: PTH120
    return [out / f"{os.path.relpath(path, common)}.png" for path in whole]


def _draw(path: Path, pixels: NDArray[np.uint8], faces: Faces) -> None:
    try:
        write_drawing(path, pixels, faces)
    except OSError as error:
        raise ParamsInvalid(f"--out: cannot write {path}: {error.strerror}.") from error
