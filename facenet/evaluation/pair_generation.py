"""Draw pairs to verify, in the manner of LFW's View 2, for photos that come without a pairs file."""

import hashlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from facenet.evaluation.pairs import Pair, PhotoName

EXHAUSTIVE = 4  # up to so many times the wanted number, all pairs are listed instead of drawn one by one

People = dict[str, list[int]]  # the numbers of the photos of each person
Sides = tuple[PhotoName, PhotoName]


def generate_pairs(
    photos: Mapping[str, Sequence[int]], *, folds: int, pairs_per_fold: int, seed: int
) -> list[Pair]:
    """Return pairs of the photos of each person, given by their numbers.

    No person is in two folds. Every fold has the same number of pairs of one person and of two, at most
    `pairs_per_fold` of each; people are drawn before photos, so that those with many photos do not prevail.
    There are `folds` folds, or fewer where a fold would get less than two people or nobody with two photos.
    The same arguments give the same pairs on any machine.
    """
    people = {name: sorted(numbers) for name, numbers in sorted(photos.items()) if numbers}
    able = sum(len(numbers) > 1 for numbers in people.values())
    groups = _deal(people, min(folds, len(people) // 2, able), seed)
    candidates = [(fold, kind(group)) for fold, group in enumerate(groups) for kind in (_Same, _Different)]
    wanted = min([pairs_per_fold, *(kind.total for _, kind in candidates)])
    return [
        Pair(left, right, kind.same, fold)
        for fold, kind in candidates
        for left, right in _draw(kind, wanted, _Die(seed, fold, kind.same))
    ]


class _Die:
    """Pseudo-random numbers that no version of a library can change: digests of a counter."""

    def __init__(self, *key: object) -> None:
        self._key, self._count = "/".join(map(str, key)), 0

    def __call__(self, below: int) -> int:
        self._count += 1
        return self.digest(str(self._count)) % below

    def digest(self, text: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._key}/{text}".encode()).digest())

    def two(self, below: int) -> tuple[int, int]:
        """Return two different numbers from 0 to `below` - 1, the smaller one first."""
        first, second = self(below), self(below - 1)
        return (second, first) if second < first else (first, second + 1)


class _Candidates(Protocol):
    """The pairs of one kind in a group of people: their number, all of them, or one at random."""

    same: bool
    total: int

    def every(self) -> Iterator[Sides]: ...

    def one(self, die: _Die) -> Sides: ...


class _Same:
    same = True

    def __init__(self, group: People) -> None:
        self._people = [(name, numbers) for name, numbers in group.items() if len(numbers) > 1]
        self.total = sum(math.comb(len(numbers), 2) for _, numbers in self._people)

    def every(self) -> Iterator[Sides]:
        for name, numbers in self._people:
            for left, right in itertools.combinations(numbers, 2):
                yield PhotoName(name, left), PhotoName(name, right)

    def one(self, die: _Die) -> Sides:
        name, numbers = self._people[die(len(self._people))]
        left, right = die.two(len(numbers))
        return PhotoName(name, numbers[left]), PhotoName(name, numbers[right])


class _Different:
    same = False

    def __init__(self, group: People) -> None:
        self._people = [[PhotoName(name, number) for number in numbers] for name, numbers in group.items()]
        photos = sum(map(len, self._people))
        self.total = math.comb(photos, 2) - sum(math.comb(len(photos), 2) for photos in self._people)

    def every(self) -> Iterator[Sides]:
        for left, right in itertools.combinations(self._people, 2):
            yield from itertools.product(left, right)

    def one(self, die: _Die) -> Sides:
        left, right = (self._people[place] for place in die.two(len(self._people)))
        return left[die(len(left))], right[die(len(right))]


def _deal(people: People, folds: int, seed: int) -> list[People]:
    """Deal people to folds, there and back, those with most photos first: each fold gets a fair share."""
    die = _Die(seed, "deal")
    order = sorted(people, key=lambda name: (-len(people[name]), die.digest(name)))
    groups: list[People] = [{} for _ in range(folds)]
    there_and_back = [*range(folds), *reversed(range(folds))]
    for name, fold in zip(order, itertools.cycle(there_and_back), strict=False):
        groups[fold][name] = people[name]
    return [dict(sorted(group.items())) for group in groups]


def _draw(candidates: _Candidates, wanted: int, die: _Die) -> list[Sides]:
    """Return `wanted` different pairs, sorted."""
    if candidates.total <= EXHAUSTIVE * wanted:
        shuffled = sorted(candidates.every(), key=lambda sides: die.digest(f"{sides[0]} {sides[1]}"))
        return sorted(shuffled[:wanted])
    drawn: set[Sides] = set()
    while len(drawn) < wanted:
        drawn.add(candidates.one(die))
    return sorted(drawn)
