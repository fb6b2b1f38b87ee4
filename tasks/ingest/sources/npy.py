"""Source `npy`: photos in one NumPy array, and the names of the people in another."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facenet.errors import SourceInvalid
from facenet.images import encode
from tasks.ingest.archives import Member
from tasks.ingest.records import Record
from tasks.ingest.sources.opened import Opened, Opening
from tasks.params.sources import NpySource

Photos = npt.NDArray[np.uint8]


def open_source(source: NpySource, opening: Opening) -> Opened:
    """Map the photos into memory and read the names. Photo 0 is the file 000000.png.

    Raises:
        DownloadFailed: a file was not found anywhere.
        SourceInvalid: an array has the wrong type or shape, or the two have different lengths.
    """
    photos = _photos(opening.locate(source.images, sha256=source.sha256))
    names = _names(opening.locate(source.names))
    if len(photos) != len(names):
        raise SourceInvalid(
            f"{source.images} has {len(photos)} photos, but {source.names} has {len(names)} names. "
            "Save both arrays from the same list of photos."
        )

    def place(records: Sequence[Record]) -> None:
        for record in records:
            name = names[int(Path(record.path).stem)]
            if name and "/" not in name:
                record.identity, record.role = name, source.role
            elif record.kept:
                record.reject("misplaced", f"{name!r} in {source.names} is not a valid name of a person.")

    return Opened(partial(_files, photos), place)


def _files(photos: Photos, max_file_bytes: int) -> Iterator[Member]:
    for number, pixels in enumerate(photos):
        path, data = f"{number:06d}.png", encode(np.array(pixels), "png")
        if len(data) > max_file_bytes:
            reason = f"{len(data)} bytes; the limit ingest.max_file_bytes is {max_file_bytes}."
            yield Member(path, None, "too_large", reason)
        else:
            yield Member(path, data)


def _photos(path: Path) -> Photos:
    """Return (N, H, W, 3) uint8 RGB, read from disk when indexed."""
    array = _load(path)
    if array.ndim != 4 or array.shape[3] != 3 or array.dtype != np.uint8:
        raise SourceInvalid(
            f"{path} has shape {array.shape} and type {array.dtype}; expected uint8 RGB photos of shape "
            "(N, height, width, 3), values 0 to 255. Convert it with numpy and save it again."
        )
    return array


def _names(path: Path) -> list[str]:
    array = _load(path)
    if array.ndim != 1 or array.dtype.kind != "U":
        raise SourceInvalid(
            f"{path} has shape {array.shape} and type {array.dtype}; expected text of shape (N,). "
            f'Save it with numpy.save("{path.name}", names.astype(str)).'
        )
    return [unicodedata.normalize("NFC", name.strip()) for name in array.tolist()]


def _load(path: Path) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:  # pickled objects would run code
        raise SourceInvalid(
            f"{path} is not a readable .npy file: {error} Arrays of Python objects are not read: convert "
            "text with names.astype(str), and photos to one uint8 array."
        ) from error
    if not isinstance(array, np.ndarray):
        raise SourceInvalid(f"{path} holds several arrays (.npz). Save photos and names as two .npy files.")
    return array
