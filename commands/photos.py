"""The photos on a command line as FaceModel takes them, and their faces, with a progress bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commands.output import complain, printable, progress

if TYPE_CHECKING:
    from facenet import Face, FaceModel, PhotoError
    from facenet.photos import Photo
    from tasks.commands.photo_files import Argument

GROUP = 32  # photos between two steps of the progress bar


def expanded(arguments: Sequence[str]) -> list[Argument]:
    """Return the photos that files, folders and - name, in order."""
    from tasks.commands.photo_files import expand

    return expand(arguments)


def as_photo(path: str) -> Photo:
    """Return what FaceModel reads: the path, or the bytes of standard input."""
    from tasks.commands.photo_files import STDIN, Unreadable, read

    if path != STDIN:
        return Path(path)
    try:
        return read(path)
    except Unreadable:
        return b""  # which is not a photo


def embedded(model: FaceModel, photos: Sequence[Argument]) -> Iterator[tuple[Argument, Face | PhotoError]]:
    """Yield each photo with the face that the pipeline would select, or why there is none."""
    from facenet import PhotoError

    with progress(len(photos), name="embed") as bar:
        for start in range(0, len(photos), GROUP):
            group = photos[start : start + GROUP]
            readable = [as_photo(photo.path) for photo in group if not photo.problem]
            faces = iter(model.embed(readable))
            for photo in group:
                problem = PhotoError("unreadable", photo.problem)
                yield photo, problem if photo.problem else next(faces)
                bar.update()


def report_unusable(unusable: Sequence[tuple[str, object]], total: int) -> None:
    """Print on standard error which photos could not be used, and why."""
    for path, reason in unusable:
        complain(f"{printable(path)}: {printable(str(reason))}")
    if unusable:
        complain(f"{len(unusable)} of {total} photos could not be used.")
