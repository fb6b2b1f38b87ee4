"""The search for leaks by name, digest and similarity."""

from collections.abc import Iterator

import numpy as np
import pytest

from tasks.evaluate.leak_search import Leak, Sides, equal_photos, leaks_by_name, leaks_by_person


def sides(**fields: object) -> Sides:
    identities = {"a1": "Zoë", "a2": "Zoë", "b1": "Bo", "t1": "ZOE", "t2": "ZOE", "t3": "Else"}
    given = {"identities": identities, "evaluated": ["a1", "a2", "b1"], "trained": ["t1", "t2", "t3"]}
    return Sides(**{**given, "shared": ["Zoë"], **fields})


def test_a_shared_person_is_shown_by_the_first_photos() -> None:
    assert leaks_by_name(sides()) == [Leak("name", "Zoë", "ZOE", "a1", "t1")]


def test_a_shared_person_without_training_photos_is_listed() -> None:
    assert leaks_by_name(sides(trained=["t3"])) == [Leak("name", "Zoë", "zoe", "a1", "")]


@pytest.mark.parametrize("trained", [["t1", "t3"], ["t3", "t1"]])
def test_equal_faces_equal_a_loop(trained: list[str]) -> None:
    digests = {"a1": b"1", "a2": b"2", "b1": b"3", "t1": b"2", "t3": b"2"}
    found = equal_photos(sides(trained=trained), digests)
    assert found == [Leak("digest", "Zoë", "ZOE" if trained[0] == "t1" else "Else", "a2", trained[0], 1, 1)]


def test_a_photo_on_both_sides_is_its_own_counterpart() -> None:
    digests = {"a1": b"1", "a2": b"2", "b1": b"3", "t1": b"2"}
    (leak,) = equal_photos(sides(trained=["t1", "a2"]), digests)
    assert (leak.evaluated_photo, leak.trained_photo) == ("a2", "a2")


class Counted(list[str]):
    """A list that counts how often it is read through."""

    passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        return super().__iter__()


@pytest.mark.parametrize("photos", [10, 1_000])
def test_the_evaluated_photos_are_not_read_again_for_each_training_photo(photos: int) -> None:
    ours, theirs = Counted(f"a{n}" for n in range(5)), [f"t{n}" for n in range(photos)]
    digests = {photo: str(n).encode() for n, photo in enumerate([*ours, *theirs])}
    everyone = sides(identities=dict.fromkeys(digests, "x"), evaluated=ours, trained=theirs)
    ours.passes = 0
    assert equal_photos(everyone, digests) == []
    assert ours.passes <= 3


def people(shared: list[str]) -> tuple[list[Leak], float | None]:
    """Eight evaluated people; e0 trains with other photos as t0, e1 as E 1."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(40, 32))
    evaluated = {f"e{n}_{k}": (f"e{n}", centres[n]) for n in range(8) for k in range(3)}
    trained = {f"t{n}_{k}": (f"t{n}", centres[n + 8 if n else 0]) for n in range(20) for k in range(3)}
    trained |= {f"x{k}": ("E 1", centres[1]) for k in range(3)}
    everyone = evaluated | trained
    sides_ = Sides(
        identities={photo: name for photo, (name, _) in everyone.items()},
        evaluated=list(evaluated),
        trained=list(trained),
        shared=shared,
    )
    rows = [
        np.stack([centre + random.normal(0, 0.3, 32) for _, centre in part.values()]).astype(np.float32)
        for part in (evaluated, trained)
    ]
    return leaks_by_person(sides_, rows[0], rows[1])


def test_people_are_found_by_the_means_of_their_embeddings() -> None:
    found, threshold = people([])
    assert threshold is not None
    assert {(leak.evaluated, leak.trained) for leak in found} == {("e0", "t0"), ("e1", "E 1")}
    assert all(leak.found_by == "person" and (leak.cosine or 0) >= threshold for leak in found)
    assert {(leak.evaluated_photo, leak.trained_photo) for leak in found} == {
        ("e0_0", "t0_0"),
        ("e1_0", "x0"),
    }


def test_people_found_by_name_are_not_repeated() -> None:
    found, _ = people(["e1"])
    assert [(leak.evaluated, leak.trained) for leak in found] == [("e0", "t0")]
