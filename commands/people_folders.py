"""Photos in a folder per person, and their faces, read and embedded in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.photos import GROUP, expanded
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from facenet import Face, FaceModel, PhotoError
    from tasks.commands.photo_files import Argument

Read = tuple[str, bytes, "Face | PhotoError"]  # path, content, and the face in it or why there is none


def people_of(folder: Path, *, option: str) -> list[tuple[str, list[Argument]]]:
    """Return the name of each folder in `folder`, and the photos below it, sorted by name.

    option: that named the folder, for errors.

    Raises:
        ParamsInvalid: the folder cannot be listed, or has no folders.
    """
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError as error:
        raise ParamsInvalid(f"{option}: {folder} cannot be listed: {error.strerror}.") from error
    if not folders:
        raise ParamsInvalid(f"{option}: {folder} has no folders. Give each person a folder with photos.")
    return [(path.name, expanded([str(path)])) for path in folders]


def read_people(
    model: FaceModel, people: Sequence[tuple[str, Sequence[Argument]]], bar: Any
) -> Iterator[tuple[str, list[Read]]]:
    """Yield each person with their photos and faces, embedded in batches across people."""
    waiting: list[list[Read]] = [[] for _ in people]
    flat = [(number, photo) for number, (_, photos) in enumerate(people) for photo in photos]
    done = 0
    for start in range(0, len(flat), GROUP):
        group = flat[start : start + GROUP]
        for (number, _), found in zip(group, _read(model, [photo for _, photo in group]), strict=True):
            waiting[number].append(found)
        bar.update(len(group))
        rest = flat[start + GROUP :][:1]  # whose person is not complete yet
        finished = rest[0][0] if rest else len(people)
        for number in range(done, finished):
            yield people[number][0], waiting[number]
            waiting[number] = []  # the bytes of the photos
        done = finished


def _read(model: FaceModel, photos: Sequence[Argument]) -> list[Read]:
    """Read and embed one batch of photos."""
    from facenet import PhotoError
    from tasks.commands.photo_files import Unreadable, read

    contents: list[bytes | PhotoError] = []
    for photo in photos:
        try:
            contents.append(PhotoError("unreadable", photo.problem) if photo.problem else read(photo.path))
        except Unreadable as error:
            contents.append(PhotoError("unreadable", str(error)))
    faces = iter(model.embed([content for content in contents if isinstance(content, bytes)]))
    return [
        (photo.path, content, next(faces)) if isinstance(content, bytes) else (photo.path, b"", content)
        for photo, content in zip(photos, contents, strict=True)
    ]
