"""`facenet detect`: detect faces in photos and print them as text or JSON, or draw them into copies."""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facenet.detection import MTCNN, DetectorSettings, Faces
from facenet.devices import resolve_device
from facenet.errors import ImageRejected, ParamsInvalid, SourceInvalid, StorageFailed
from facenet.images import decode
from tasks.commands.drawing import write_drawing
from tasks.commands.photo_files import STDIN, Argument, Unreadable, expand, read

GROUP_PHOTOS = 32  # decoded together, at most
GROUP_PIXELS = 2**23  # decoded together, at most, unless a single photo has more
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
    photos = expand(arguments.photos, without=arguments.out)
    drawings = _drawings([photo.path for photo in photos], arguments.out)
    detector = MTCNN(_settings(arguments), device=resolve_device(arguments.device))
    failed = 0
    with (
        _progress(len(photos)) as progress,
        _as_list() if arguments.json else _as_lines() as show,
    ):
        for number, found in enumerate(search(detector, photos)):
            failed += found.faces is None
            if arguments.out is not None and found.pixels is not None and found.faces is not None:
                _draw(drawings[number], found.pixels, found.faces)
            show(found)
            progress.update()
    if failed:
        raise SourceInvalid(f"{failed} of {len(photos)} photos could not be read; the output says why.")


def _progress(photos: int) -> "tqdm[Any]":
    """Return a progress bar that appears after a second, and only on a terminal."""
    return tqdm(total=photos, desc="detect", unit=" photos", mininterval=1, delay=1, disable=None)


def search(detector: MTCNN, photos: Iterable[Argument]) -> Iterator[Found]:
    """Yield the result for each photo, in order; holds one group of photos in memory."""
    for group in _groups(_read(photo) for photo in photos):
        faces = iter(detector.detect([photo.pixels for photo in group if photo.pixels is not None]))
        for photo in group:
            yield photo if photo.pixels is None else Found(photo.path, photo.pixels, next(faces))


def as_json(found: Found) -> dict[str, Any]:
    """Return {path, faces: [{box, probability, landmarks}]}, or {path, error}.

    box: x0 y0 x1 y1 in pixels of the upright photo. landmarks: five x y, in the order of `Faces`. Bytes of a
    name that are not UTF-8 become U+FFFD, since strict JSON parsers reject lone surrogates.
    """
    path = _as_text(found.path)
    if found.faces is None:
        return {"path": path, "error": _as_text(found.error)}
    pixel, share = DECIMALS
    columns = (found.faces.boxes, found.faces.probabilities, found.faces.landmarks)
    return {
        "path": path,
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
    path = _printable(found.path)
    if found.faces is None or found.pixels is None:
        return f"{path}  cannot be read: {_printable(' '.join(found.error.split()))}\n"
    sizes = [
        f"{x1 - x0:.0f} x {y1 - y0:.0f} (p {probability:.4f})"
        for (x0, y0, x1, y1), probability in zip(found.faces.boxes, found.faces.probabilities, strict=True)
    ]
    height, width = found.pixels.shape[:2]
    count = {0: "no face", 1: "1 face: "}.get(len(sizes), f"{len(sizes)} faces: ")
    return f"{path}  {width} x {height}  {count}{', '.join(sizes)}\n"


def _as_text(name: str) -> str:
    """Replace lone surrogates, which stand for bytes that are not UTF-8."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", name)


def _printable(name: str) -> str:
    """Escape line breaks and control characters, which could manipulate a terminal."""
    text = _as_text(name)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@contextmanager
def _as_lines() -> Iterator[Callable[[Found], None]]:
    yield lambda found: _print(line(found))


@contextmanager
def _as_list() -> Iterator[Callable[[Found], None]]:
    """Print one JSON list, which is closed even if an error ends it early."""
    separators = chain("[", repeat(","))
    try:
        yield lambda found: _print(f"{next(separators)}\n{json.dumps(as_json(found), allow_nan=False)}")
    finally:
        _print("[]\n" if next(separators) == "[" else "\n]\n")


def _print(text: str) -> None:
    """Print and flush: the reader of a pipe may be waiting for the line, or have closed the pipe."""
    if sys.stdout.isatty():
        tqdm.write(text, file=sys.stdout, end="")  # lifts the progress bar out of the way
    else:
        sys.stdout.write(text)
    sys.stdout.flush()


def _settings(arguments: argparse.Namespace) -> DetectorSettings:
    names = ("min_face", "thresholds", "factor", "max_side")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if "thresholds" in given:
        given["thresholds"] = tuple(given["thresholds"])
    return DetectorSettings(**given)


def _read(photo: Argument) -> Found:
    if photo.problem:
        return Found(photo.path, error=photo.problem)
    try:
        return Found(photo.path, decode(read(photo.path)))
    except (ImageRejected, Unreadable) as error:
        return Found(photo.path, error=str(error))


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
    names = ["stdin" if path == STDIN else path for path in paths]
    whole = [os.path.abspath(name) for name in names]  # noqa: PTH100  # resolve() would follow links
    common = os.path.commonpath([os.path.dirname(path) for path in whole])  # noqa: PTH120
    return [out / f"{os.path.relpath(path, common)}.png" for path in whole]


def _draw(path: Path, pixels: NDArray[np.uint8], faces: Faces) -> None:
    try:
        write_drawing(path, pixels, faces)
    except StorageFailed as error:
        raise ParamsInvalid(f"--out: {error}") from error
