"""Generate verification pairs in the style of LFW's View 2, for photos without a pairs file."""

import hashlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from facenet.evaluation.pairs import Pair, PhotoName

EXHAUSTIVE = 4  # if there are at most this many candidates per requested pair, they are listed, not sampled

People = dict[str, list[int]]  # the numbers of the photos of each person
Sides = tuple[PhotoName, PhotoName]


def generate_pairs(
    photos: Mapping[str, Sequence[int]], *, folds: int, pairs_per_fold: int, seed: int
) -> list[Pair]:
    """Return verification pairs; `photos` has the photo numbers of each person.

    No person is in two folds. All folds have the same number of same and of different pairs, at most
    `pairs_per_fold` of each. People are drawn before photos, so that people with many photos do not dominate.
    There are `folds` folds, or fewer if a fold would have fewer than two people or nobody with two photos.
    The same arguments give the same pairs on any machine.
    """
    people = {name: sorted(numbers) for name, numbers in sorted(photos.items()) if numbers}
    able = sum(len(numbers) > 1 for numbers in people.values())
    groups = _deal(people, min(folds, len(people) // 2, able), seed)
    candidates = [(fold, make(group)) for fold, group in enumerate(groups) for make in (_Same, _Different)]
    requested = min([pairs_per_fold, *(choice.total for _, choice in candidates)])
    return [
        Pair(left, right, choice.same, fold)
        for fold, choice in candidates
        for left, right in _draw(choice, requested, _Die(seed, fold, choice.same))
    ]


class _Die:
    """Pseudo-random numbers that do not depend on library versions: digests of a counter."""

    def __init__(self, *key: object) -> None:
        self._key, self._count = "/".join(map(str, key)), 0

    def __call__(self, below: int) -> int:
        self._count += 1
        return self.digest(str(self._count)) % below

    def digest(self, text: str) -> int:
        """Return a pseudo-random number of 256 bits for a text."""
        return int.from_bytes(hashlib.sha256(f"{self._key}/{text}".encode()).digest())

    def two(self, below: int) -> tuple[int, int]:
        """Return two different numbers from 0 to `below` - 1, the smaller first."""
        first, second = self(below), self(below - 1)
        return (second, first) if second < first else (first, second + 1)


class _Candidates(Protocol):
    """The same or the different pairs of a group of people: their number, all of them, or a random one."""

    same: bool
    total: int

    def every(self) -> Iterator[Sides]:
        """Yield all pairs."""

    def one(self, die: _Die) -> Sides:
        """Return a random pair."""


class _Same:
    """Pairs of two photos of one person."""

    same = True

    def __init__(self, group: People) -> None:
        self._people = [(name, numbers) for name, numbers in group.items() if len(numbers) > 1]
        self.total = sum(math.comb(len(numbers), 2) for _, numbers in self._people)

    def every(self) -> Iterator[Sides]:
        """Yield all pairs, person by person."""
        for name, numbers in self._people:
            for left, right in itertools.combinations(numbers, 2):
                yield PhotoName(name, left), PhotoName(name, right)

    def one(self, die: _Die) -> Sides:
        """Return two photos of a person; every person is equally likely."""
        name, numbers = self._people[die(len(self._people))]
        left, right = die.two(len(numbers))
        return PhotoName(name, numbers[left]), PhotoName(name, numbers[right])


class _Different:
    """Pairs of photos of two people."""

    same = False

    def __init__(self, group: People) -> None:
        self._people = [[PhotoName(name, number) for number in numbers] for name, numbers in group.items()]
        photos = sum(map(len, self._people))
        self.total = math.comb(photos, 2) - sum(math.comb(len(photos), 2) for photos in self._people)

    def every(self) -> Iterator[Sides]:
        """Yield all pairs, two people at a time."""
        for left, right in itertools.combinations(self._people, 2):
            yield from itertools.product(left, right)

    def one(self, die: _Die) -> Sides:
        """Return a photo each of two people; every two people are equally likely."""
        left, right = (self._people[place] for place in die.two(len(self._people)))
        return left[die(len(left))], right[die(len(right))]


def _deal(people: People, folds: int, seed: int) -> list[People]:
    """Deal people to folds, back and forth, most photos first, so that the folds are balanced."""
    die = _Die(seed, "deal")
    order = sorted(people, key=lambda name: (-len(people[name]), die.digest(name)))
    groups: list[People] = [{} for _ in range(folds)]
    back_and_forth = [*range(folds), *reversed(range(folds))]
    for name, fold in zip(order, itertools.cycle(back_and_forth), strict=False):
        groups[fold][name] = people[name]
    return [dict(sorted(group.items())) for group in groups]


def _draw(candidates: _Candidates, requested: int, die: _Die) -> list[Sides]:
    """Return `requested` distinct pairs, sorted."""
    if candidates.total <= EXHAUSTIVE * requested:
        shuffled = sorted(candidates.every(), key=lambda sides: die.digest(f"{sides[0]} {sides[1]}"))
        return sorted(shuffled[:requested])
    drawn: set[Sides] = set()
    while len(drawn) < requested:
        drawn.add(candidates.one(die))
    return sorted(drawn)
