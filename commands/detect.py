"""`facenet detect`: detect faces in photos and print them as text or JSON, or draw them into copies."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.numbers import number_between
from commands.output import as_text, complain, json_list, lines, printable, progress
from commands.path_arguments import FOLDERS, add_photos, completed
from facenet.errors import ImageRejected, ParamsInvalid, StorageFailed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facenet.detection import MTCNN, DetectorSettings, Faces
    from tasks.commands.photo_files import Argument

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


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet detect`."""
    parser.description = (
        "Detect the faces in photos and print a line per photo. Exit code 1: a photo could not be read."
    )
    add = parser.add_argument
    add_photos(parser)
    out = "write copies of the photos with the faces drawn in to this folder"
    completed(add("--out", type=Path, metavar="DIR", help=out), FOLDERS)
    add("--json", action="store_true", help="print a JSON list of {path, faces} or {path, error}")
    side = number_between(12, None)
    add("--min-face", type=side, metavar="PIXELS", help="shortest side of a face (default: 20)")
    thresholds = "minimum probability for each of the three networks (default: 0.6 0.7 0.7)"
    add("--thresholds", type=number_between(0, 1), nargs=3, metavar="P", help=thresholds)
    factor = number_between(0, 1, exclusive=True)
    add("--factor", type=factor, metavar="F", help="ratio between pyramid scales (default: 0.709)")
    reduced = "detect on a reduced copy of larger photos (default: 4096)"
    add("--max-side", type=number_between(12, None, whole=True), metavar="PIXELS", help=reduced)
    add("--device", default="auto", help="auto, cpu, mps or cuda (default: auto)")


def run(arguments: argparse.Namespace) -> int:
    """Detect faces in the photos on the command line, in order, and print or draw them; return the exit code.

    Raises:
        ParamsInvalid: a detector setting is out of range, or the output folder cannot be created.
    """
    from facenet.detection import MTCNN  # imported late: torch takes seconds, and `--help` does not need it
    from facenet.devices import resolve_device
    from tasks.commands.photo_files import expand

    photos = expand(arguments.photos, without=arguments.out)
    drawings = _drawings([photo.path for photo in photos], arguments.out)
    detector = MTCNN(_settings(arguments), device=resolve_device(arguments.device))
    failed = 0
    with (
        progress(len(photos), name="detect") as bar,
        json_list() if arguments.json else lines() as entry,
    ):
        for number, found in enumerate(search(detector, photos)):
            failed += found.faces is None
            if arguments.out is not None and found.pixels is not None and found.faces is not None:
                _draw(drawings[number], found.pixels, found.faces)
            entry(as_json(found) if arguments.json else line(found))
            bar.update()
    if failed:
        complain(f"{failed} of {len(photos)} photos could not be read; the output says why.")
    return NO if failed else OK


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
    path = as_text(found.path)
    if found.faces is None:
        return {"path": path, "error": as_text(found.error)}
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
    path = printable(found.path)
    if found.faces is None or found.pixels is None:
        return f"{path}  cannot be read: {printable(' '.join(found.error.split()))}\n"
    sizes = [
        f"{x1 - x0:.0f} x {y1 - y0:.0f} (p {probability:.4f})"
        for (x0, y0, x1, y1), probability in zip(found.faces.boxes, found.faces.probabilities, strict=True)
    ]
    height, width = found.pixels.shape[:2]
    count = {0: "no face", 1: "1 face: "}.get(len(sizes), f"{len(sizes)} faces: ")
    return f"{path}  {width} x {height}  {count}{', '.join(sizes)}\n"


def _settings(arguments: argparse.Namespace) -> DetectorSettings:
    from facenet.detection import DetectorSettings

    names = ("min_face", "thresholds", "factor", "max_side")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    if "thresholds" in given:
        given["thresholds"] = tuple(given["thresholds"])
    return DetectorSettings(**given)


def _read(photo: Argument) -> Found:
    from facenet.images import decode
    from tasks.commands.photo_files import Unreadable, read

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
    from tasks.commands.photo_files import STDIN

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
    from commands.drawing import write_drawing

    try:
        write_drawing(path, pixels, faces)
    except StorageFailed as error:
        raise ParamsInvalid(f"--out: {error}") from error
