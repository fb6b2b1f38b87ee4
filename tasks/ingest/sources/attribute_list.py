"""Read list_attr_celeba.txt: which of a number of yes-or-no attributes each photo has."""

import unicodedata
from collections.abc import Sequence
from itertools import islice

from facenet.errors import SourceInvalid

VALUES = {"1": 1, "-1": 0}
ADVICE = "Download the file again."


def read_attributes(text: str, *, origin: str) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """Return the names of the attributes, and one byte per attribute, 1 or 0, by the NFC name of the photo.

    In CelebA's own format, the first line is the number of photos, the second line the names, and each other
    line a file name and 1 or -1 per attribute. In the CSV format, the first line is `image_id` and the names.

    Raises:
        SourceInvalid: `text` is in neither format; the message names `origin` and the line.
    """
    lines = text.splitlines()
    names, start = _head(lines, origin)
    found: dict[str, bytes] = {}
    rows = 0
    for number, line in enumerate(islice(lines, start, None), start + 1):
        if not (fields := _fields(line)):
            continue
        rows += 1
        try:
            values = bytes(map(VALUES.__getitem__, fields[1:]))
        except KeyError:
            values = b""
        if len(values) != len(names):
            raise SourceInvalid(
                f"{origin}, line {number}: expected a file name and {len(names)} values, each 1 or -1, "
                f"found {_excerpt(line)}. {ADVICE}"
            )
        photo = unicodedata.normalize("NFC", fields[0])
        if found.setdefault(photo, values) != values:
            raise SourceInvalid(
                f"{origin}, line {number}: {photo} has other values in a line above. Correct one "
                "of the lines."
            )
    if start == 2 and rows != int(lines[0]):
        raise SourceInvalid(
            f"{origin}, line 1: expected rows for {lines[0].strip()} photos, found {rows}. {ADVICE}"
        )
    return names, found


def _head(lines: Sequence[str], origin: str) -> tuple[tuple[str, ...], int]:
    """Return the names of the attributes, and the number of lines before the photos."""
    first = _fields(lines[0]) if lines else []
    if len(first) == 1 and first[0].isdecimal():
        names, start = _fields(lines[1]) if len(lines) > 1 else [], 2
    elif lines and "," in lines[0]:
        names, start = first[1:], 1
    else:
        raise SourceInvalid(
            f"{origin}, line 1: expected the number of photos, or image_id and the names of the attributes "
            f"separated by commas, found {_excerpt(lines[0] if lines else '')}. Is it the right file?"
        )
    if not names or len({*names, "image_id"}) != len(names) + 1:
        raise SourceInvalid(
            f"{origin}, line {start}: expected the names of the attributes, each once, "
            f"found {_excerpt(lines[start - 1] if len(lines) >= start else '')}. {ADVICE}"
        )
    return tuple(names), start


def _fields(line: str) -> list[str]:
    return line.replace(",", " ").split()


def _excerpt(line: str) -> str:
    return repr(line if len(line) <= 60 else f"{line[:57]}...")
