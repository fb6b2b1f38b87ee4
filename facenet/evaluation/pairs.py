"""Verification pairs, and the pairs and people files of Labeled Faces in the Wild.

A pairs file starts with "folds n" (View 2) or "n" (View 1). Each fold has n lines "name number number" (same
person), then n lines "name number name number" (different people; http://vis-www.cs.umass.edu/lfw/README.txt).
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facenet.errors import PairsFileInvalid

MOST_DIGITS = 9  # per number in these files


class PhotoName(NamedTuple):
    """The name of a photo in LFW files: identity, and number (LFW's are from 1)."""

    identity: str
    number: int

    def __str__(self) -> str:
        return f"{self.identity}/{self.identity}_{self.number:04d}"


@dataclass(frozen=True)
class Pair:
    """Two photos, whether they show the same person, and the fold (from 0) that scores them."""

    left: PhotoName
    right: PhotoName
    same: bool
    fold: int


class _Line(NamedTuple):
    """A line of a pairs file, split at tabs."""

    origin: str  # the file, for messages
    place: int  # from 1
    fields: list[str]

    def error(self, expected: str) -> PairsFileInvalid:
        """Return the error that names the line, what it should hold and what it holds."""
        found = "\t".join(self.fields)
        return PairsFileInvalid(
            f"{self.origin}, line {self.place}: expected {expected}, found {found!r}. "
            "Correct the file or download it again."
        )

    def text(self, at: int, expected: str, *, fields: int) -> str:
        """Return a field of a line that must have `fields` fields; it may not be empty."""
        if len(self.fields) != fields or not self.fields[at]:
            raise self.error(expected)
        return self.fields[at]

    def number(self, at: int, expected: str, *, fields: int, minimum: int = 1) -> int:
        """Return a field as a whole number of at least `minimum`."""
        text = self.text(at, expected, fields=fields)
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) >= minimum):
            raise self.error(expected)
        return int(text)


def parse_pairs(data: bytes, *, origin: str) -> list[Pair]:
    """Return the pairs of an LFW pairs file in file order; `origin` names the file in messages.

    Raises:
        PairsFileInvalid: naming the line and what was expected.
    """
    lines = _lines(data, origin)
    header = next(lines, None)
    if header is None:
        raise PairsFileInvalid(f"{origin}: the file is empty; expected an LFW pairs file.")
    expected = "a header: pairs per class (View 1), or folds and pairs per class (View 2)"
    numbers = [
        header.number(at, expected, fields=min(len(header.fields), 2)) for at in range(len(header.fields))
    ]
    folds, count = [1, *numbers][-2:]
    pairs: list[Pair] = []
    places: dict[tuple[int, frozenset[PhotoName]], int] = {}
    classes = ((fold, same) for fold in range(folds) for same in (True, False) for _ in range(count))
    for fold, same in classes:
        line = next(lines, None)
        if line is None:
            expected = f"{folds} folds of {count} same and {count} different pairs, {2 * folds * count} lines"
            raise PairsFileInvalid(f"{origin}: expected {expected}, found {len(pairs)}. Is it truncated?")
        pair = _same_pair(line, fold) if same else _different_pair(line, fold)
        key = (fold, frozenset((pair.left, pair.right)))
        if key in places:
            raise line.error(f"a pair that is not in line {places[key]}, in the same fold, in any order")
        places[key] = line.place
        pairs.append(pair)
    surplus = next(lines, None)
    if surplus is not None:
        raise surplus.error(f"the end after {folds} folds of {count} same and {count} different pairs")
    return pairs


def parse_people(data: bytes, *, origin: str) -> dict[str, int]:
    """Return the number of photos of each person in an LFW people file; `origin` names the file in messages.

    View 1: the number of people, then one line per person. View 2: the number of folds, then each like that.

    Raises:
        PairsFileInvalid: naming the line and what was expected.
    """
    lines = list(_lines(data, origin))
    heads = [line for line in lines if len(line.fields) == 1]
    if not lines or not heads or heads[0] is not lines[0]:
        raise PairsFileInvalid(f"{origin}, line 1: expected the number of people or of folds.")
    expected = "a number of people or folds, or a name and the number of photos"
    people: dict[str, int] = {}
    for line in lines:
        if len(line.fields) > 1:
            name = line.text(0, expected, fields=2)
            if name in people:
                raise line.error("a person who is not in a line above")
            people[name] = line.number(1, expected, fields=2)
    counts = [head.number(0, expected, fields=1) for head in heads]
    total = sum(counts[1:]) if counts[0] == len(counts) - 1 else counts[0]
    if len(people) != total:
        raise PairsFileInvalid(f"{origin}: expected {total} people, found {len(people)}. Is it truncated?")
    return people


def _lines(data: bytes, origin: str) -> Iterator[_Line]:
    """Yield the non-blank lines; fields are separated by tabs, or by blanks in lines without tabs."""
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        place = f"{origin}, line {data.count(10, 0, error.start) + 1}"
        raise PairsFileInvalid(f"{place}: expected UTF-8 text. Is it the right file?") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            fields = line.strip().split("\t") if "\t" in line.strip() else line.split()
            yield _Line(origin, number, [field.strip() for field in fields])


def _same_pair(line: _Line, fold: int) -> Pair:
    expected = "three fields: name, number, another number; numbers from 0"
    name = line.text(0, expected, fields=3)
    left, right = (PhotoName(name, line.number(at, expected, fields=3, minimum=0)) for at in (1, 2))
    if left == right:
        raise line.error(expected)
    return Pair(left, right, True, fold)


def _different_pair(line: _Line, fold: int) -> Pair:
    expected = "four fields: name, number, another name, number; numbers from 0"
    left, right = (
        PhotoName(line.text(at, expected, fields=4), line.number(at + 1, expected, fields=4, minimum=0))
        for at in (0, 2)
    )
    if left.identity == right.identity:
        raise line.error(expected)
    return Pair(left, right, False, fold)


def format_pairs(pairs: Sequence[Pair]) -> str:
    """Return the text of an LFW pairs file (View 2) with these pairs.

    Raises:
        ValueError: folds are not 0 to n - 1 with equal numbers of same and different pairs, same pairs first.
    """
    folds = max((pair.fold for pair in pairs), default=-1) + 1
    count = len(pairs) // (2 * folds) if folds else 0
    order = [(fold, same) for fold in range(folds) for same in (True, False) for _ in range(count)]
    if [(pair.fold, pair.same) for pair in pairs] != order:
        raise ValueError(
            "an LFW pairs file needs as many same as different pairs in every fold, same pairs first"
        )
    lines = [f"{folds}\t{count}"]
    for pair in pairs:
        right = [] if pair.same else [pair.right.identity]
        lines.append("\t".join(map(str, [*pair.left, *right, pair.right.number])))
    return "\n".join([*lines, ""])
