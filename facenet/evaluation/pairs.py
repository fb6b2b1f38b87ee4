"""Pairs of photos to verify, in the files of Labeled Faces in the Wild.

A pairs file starts with "folds n" (View 2) or "n" (View 1); each fold has n lines "name number number" of one
person, then n lines "name number name number" of two (http://vis-www.cs.umass.edu/lfw/README.txt).
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from facenet.errors import PairsFileInvalid

MOST_DIGITS = 9  # of a number in these files


class PhotoName(NamedTuple):
    """The name of a photo in LFW files: the `number`-th, from 1, of a person."""

    identity: str
    number: int

    def __str__(self) -> str:
        return f"{self.identity}/{self.identity}_{self.number:04d}"


@dataclass(frozen=True)
class Pair:
    """Two photos, whether they show the same person, and the fold, from 0, in which they are scored."""

    left: PhotoName
    right: PhotoName
    same: bool
    fold: int


class _Line(NamedTuple):
    place: str  # file and line, for messages
    fields: list[str]

    def error(self, expected: str) -> PairsFileInvalid:
        found = "\t".join(self.fields)
        return PairsFileInvalid(
            f"{self.place}: expected {expected}, found {found!r}. Correct the file or get it anew."
        )

    def text(self, at: int, expected: str, *, fields: int) -> str:
        if len(self.fields) != fields or not self.fields[at]:
            raise self.error(expected)
        return self.fields[at]

    def number(self, at: int, expected: str, *, fields: int) -> int:
        text = self.text(at, expected, fields=fields)
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) > 0):
            raise self.error(expected)
        return int(text)


def parse_pairs(data: bytes, *, origin: str) -> list[Pair]:
    """Return the pairs of an LFW pairs file in its order; `origin` names the file in messages.

    Raises:
        PairsFileInvalid: with the line and what was expected there.
    """
    lines = _lines(data, origin)
    header = next(lines, None)
    if header is None:
        raise PairsFileInvalid(f"{origin}: the file is empty; expected an LFW pairs file.")
    expected = "a header: the number of pairs of a kind (View 1), or folds and that number (View 2)"
    numbers = [
        header.number(at, expected, fields=min(len(header.fields), 2)) for at in range(len(header.fields))
    ]
    folds, count = [1, *numbers][-2:]
    pairs: list[Pair] = []
    kinds = ((fold, same) for fold in range(folds) for same in (True, False) for _ in range(count))
    for fold, same in kinds:
        line = next(lines, None)
        if line is None:
            wanted = f"{folds} folds of {count} same and {count} different pairs, {2 * folds * count} lines"
            raise PairsFileInvalid(f"{origin}: expected {wanted}, found {len(pairs)}. Is it cut off?")
        pairs.append(_same_pair(line, fold) if same else _different_pair(line, fold))
    surplus = next(lines, None)
    if surplus is not None:
        raise surplus.error(f"the end after {folds} folds of {count} same and {count} different pairs")
    return pairs


def parse_people(data: bytes, *, origin: str) -> dict[str, int]:
    """Return the people of an LFW people file and the number of their photos; `origin` is for messages.

    View 1 has a number of people and their lines; View 2 a number of folds, then each of them in that form.

    Raises:
        PairsFileInvalid: with the line and what was expected there.
    """
    lines = list(_lines(data, origin))
    heads = [line for line in lines if len(line.fields) == 1]
    if not lines or not heads or heads[0] is not lines[0]:
        raise PairsFileInvalid(f"{origin}, line 1: expected the number of people or of folds.")
    expected = "a number of people or folds, or a name and the number of photos"
    people = {}
    for line in lines:
        if len(line.fields) > 1:
            people[line.text(0, expected, fields=2)] = line.number(1, expected, fields=2)
    counts = [head.number(0, expected, fields=1) for head in heads]
    total = sum(counts[1:]) if counts[0] == len(counts) - 1 else counts[0]
    if len(people) != total:
        raise PairsFileInvalid(f"{origin}: expected {total} people, found {len(people)}. Is it cut off?")
    return people


def _lines(data: bytes, origin: str) -> Iterator[_Line]:
    """Yield the lines that are not blank; fields are parted by tabs, or by blanks where there is no tab."""
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        place = f"{origin}, line {data.count(10, 0, error.start) + 1}"
        raise PairsFileInvalid(f"{place}: expected UTF-8 text. Is it the right file?") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            fields = line.strip().split("\t") if "\t" in line.strip() else line.split()
            yield _Line(f"{origin}, line {number}", [field.strip() for field in fields])


def _same_pair(line: _Line, fold: int) -> Pair:
    expected = "three fields, name, number, number, with two numbers from 1"
    name = line.text(0, expected, fields=3)
    left, right = (PhotoName(name, line.number(at, expected, fields=3)) for at in (1, 2))
    if left == right:
        raise line.error(expected)
    return Pair(left, right, True, fold)


def _different_pair(line: _Line, fold: int) -> Pair:
    expected = "four fields, name, number, another name, number, with numbers from 1"
    left, right = (
        PhotoName(line.text(at, expected, fields=4), line.number(at + 1, expected, fields=4)) for at in (0, 2)
    )
    if left.identity == right.identity:
        raise line.error(expected)
    return Pair(left, right, False, fold)


def format_pairs(pairs: Sequence[Pair]) -> str:
    """Return pairs as the text of an LFW pairs file of View 2.

    Raises:
        ValueError: folds are not 0 to n - 1 with equal numbers of same and different pairs, same ones first.
    """
    folds = max((pair.fold for pair in pairs), default=-1) + 1
    count = len(pairs) // (2 * folds) if folds else 0
    order = [(fold, same) for fold in range(folds) for same in (True, False) for _ in range(count)]
    if [(pair.fold, pair.same) for pair in pairs] != order:
        raise ValueError(
            "an LFW pairs file has folds of equally many same and different pairs, in this order"
        )
    lines = [f"{folds}\t{count}"]
    for pair in pairs:
        right = [] if pair.same else [pair.right.identity]
        lines.append("\t".join(map(str, [*pair.left, *right, pair.right.number])))
    return "\n".join([*lines, ""])
