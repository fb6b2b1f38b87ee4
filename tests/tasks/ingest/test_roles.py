from collections import Counter
from collections.abc import Iterable

import pytest

from tasks.ingest.protocol import draw_pairs, photo_names
from tasks.ingest.records import Record
from tasks.ingest.roles import Roles, decide_roles, held_out_count
from tests.tasks.ingest.settings import ingest_params


def _photo(
    identity: str | None, path: str, role: str | None, image_id: str = "", source: str = "folder"
) -> Record:
    return Record(source, path, image_id=image_id or path, identity=identity, role=role)


def _decide(
    records: list[Record], scored: Iterable[str] = (), held_out: int = 1, seed: int = 0, allow: bool = False
) -> Roles:
    return decide_roles(records, set(scored), held_out=held_out, seed=seed, allow_overlap=allow)


def _state(records: list[Record]) -> list[tuple[str | None, str]]:
    return [(record.role, record.status) for record in records]


def _people(count: int, photos: int = 2) -> list[Record]:
    return [_photo(f"p{n}", f"p{n}/{i}.jpg", "split") for n in range(count) for i in range(photos)]


def test_people_are_held_out_by_seed_when_nobody_is_evaluated() -> None:
    records = _people(20)
    roles = _decide(records, held_out=5, seed=1)
    assert len(roles.held_out) == 5
    for record in records:
        assert record.role == ("evaluate" if record.identity in roles.held_out else "train")
    assert roles.held_out == _decide(_people(20), held_out=5, seed=1).held_out
    assert roles.held_out != _decide(_people(20), held_out=5, seed=2).held_out


@pytest.mark.parametrize(
    ("people", "held_out"),
    [
        *((0, 0), (1, 0), (5, 2), (7, 3), (8, 4), (16, 4), (20, 5), (40, 10), (100, 25), (400, 100)),
        *((999, 100), (1500, 150), (5000, 500), (10_177, 500), (1_000_000, 500)),
    ],
)
def test_auto_holds_out_a_bounded_part_of_the_people(people: int, held_out: int) -> None:
    assert held_out_count(people, "auto") == held_out


def test_a_number_of_people_is_held_out_but_never_more_than_half() -> None:
    assert [held_out_count(40, number) for number in (0, 10, 20, 30)] == [0, 10, 20, 20]


def test_ten_thousand_photos_get_pairs_of_many_people() -> None:
    """CelebA's size: 10 held-out people with two photos each had given 20 pairs."""
    records = _people(5000, photos=2)
    roles = decide_roles(records, set(), held_out="auto", seed=666, allow_overlap=False)
    assert len(roles.held_out) == 500
    pairs = draw_pairs(photo_names(records), ingest_params(), 666)
    assert Counter((pair.fold, pair.same) for pair in pairs) == {
        (fold, same): 50 for fold in range(10) for same in (True, False)
    }
    impostors = Counter(side.identity for p in pairs if not p.same for side in (p.left, p.right))
    assert len(impostors) > 400
    more = draw_pairs(photo_names(_held_out(_people(5000, photos=20))), ingest_params(), 666)
    assert len(more) == 10 * 2 * 300
    impostors = Counter(side.identity for p in more if not p.same for side in (p.left, p.right))
    assert len(impostors) == 500
    assert min(impostors.values()) > 1


def _held_out(records: list[Record]) -> list[Record]:
    decide_roles(records, set(), held_out="auto", seed=666, allow_overlap=False)
    return records


def test_adding_people_changes_few_choices() -> None:
    few = set(_decide(_people(20), held_out=5, seed=1).held_out)
    more = set(_decide(_people(22), held_out=5, seed=1).held_out)
    assert len(few & more) >= 3


def test_at_least_half_of_the_people_train() -> None:
    assert len(_decide(_people(5), held_out=10).held_out) == 2
    assert _decide(_people(1), held_out=10).held_out == []
    assert _decide(_people(6), held_out=0).held_out == []


def test_only_people_with_two_kept_photos_are_held_out() -> None:
    records = [
        *_people(2),
        _photo("one", "one/1.jpg", "split"),
        _photo("twin", "twin/1.jpg", "split", "same"),
    ]
    records.append(_photo("twin", "twin/2.jpg", "split", "same"))  # the same photo twice is one
    for seed in range(10):
        assert set(_decide([*records], held_out=9, seed=seed).held_out) <= {"p0", "p1"}
        for record in records:
            record.role, record.status = "split", "kept"


def test_all_of_a_split_trains_when_another_source_is_evaluated() -> None:
    records = [*_people(4), _photo("Eve", "Eve/1.jpg", "evaluate", source="lfw")]
    assert _decide(records, held_out=2).held_out == []
    assert {record.role for record in records[:-1]} == {"train"}


def test_evaluated_people_train_nowhere_however_their_name_is_spelled() -> None:
    records = [
        _photo("José_García", "a/1.jpg", "evaluate", source="lfw"),
        _photo("jose garcia", "b/1.jpg", "train"),
        _photo("José García", "c/1.jpg", "split"),
        _photo("Jose", "d/1.jpg", "train"),
    ]
    roles = _decide(records)
    assert _state(records) == [
        ("evaluate", "kept"),
        ("train", "excluded_identity"),
        ("train", "excluded_identity"),
        ("train", "kept"),
    ]
    assert roles.excluded == ["José García", "jose garcia"]
    assert roles.overlapping == []
    assert all(record.reason for record in records if not record.kept)


def test_people_in_scored_pairs_do_not_train() -> None:
    records = [_photo("Ann", "Ann/1.jpg", "train"), _photo("Bob", "Bob/1.jpg", "train")]
    assert _decide(records, scored=["ann"]).excluded == ["Ann"]
    assert [record.kept for record in records] == [False, True]


def test_an_allowed_overlap_is_reported() -> None:
    records = [_photo("Ann", "Ann/1.jpg", "evaluate"), _photo("ann", "ann/2.jpg", "train")]
    roles = _decide(records, allow=True)
    assert _state(records) == [("evaluate", "kept"), ("train", "kept")]
    assert (roles.excluded, roles.overlapping) == ([], ["ann"])


def test_held_out_people_are_excluded_from_sources_that_train() -> None:
    records = [*_people(2), _photo("P0", "P0/9.jpg", "train", source="other")]
    records += [_photo("P1", "P1/9.jpg", "train", source="other")]
    roles = _decide(records, held_out=1)
    (held,) = roles.held_out
    assert roles.excluded == [held.upper()]


def test_of_equal_bytes_one_is_kept_preferably_the_evaluated_one() -> None:
    records = [
        _photo("Ann", "Ann/1.jpg", "train", "x"),
        _photo("Ann", "Ann/2.jpg", "train", "x"),
        _photo("Eve", "eve/1.jpg", "train", "y"),
        _photo("Eve", "Eve/1.jpg", "evaluate", "y"),
        _photo("EVE", "EVE/2.jpg", "evaluate", "y"),
    ]
    roles = _decide(records, allow=True)
    assert [record.status for record in records] == ["kept", "duplicate", "duplicate", "kept", "duplicate"]
    assert records[1].reason == "The same bytes as folder: Ann/1.jpg."
    assert records[2].reason == "The same bytes as folder: Eve/1.jpg."
    assert roles.conflicting == []


@pytest.mark.parametrize("roles", [("train", "train"), ("train", "evaluate"), ("evaluate", "evaluate")])
def test_a_photo_under_two_names_is_used_for_neither(roles: tuple[str, str]) -> None:
    records = [
        _photo("Ann", "Ann/1.jpg", roles[0], "x"),
        _photo("Bob", "Bob/1.jpg", roles[1], "x", source="lfw"),
        _photo("Bob", "Bob/2.jpg", roles[1], "x", source="lfw"),
        _photo("Ann", "Ann/2.jpg", roles[0]),
    ]
    decided = _decide(records)
    assert [record.status for record in records] == [*["conflicting_identity"] * 3, "kept"]
    assert [record.reason.partition(", but")[0] for record in records[:3]] == [
        "The same bytes as lfw: Bob/1.jpg",
        "The same bytes as folder: Ann/1.jpg",
        "The same bytes as folder: Ann/1.jpg",
    ]
    assert all("the people are Ann and Bob" in record.reason for record in records[:3])
    assert decided.conflicting == ["Ann = Bob"]


def test_a_conflict_with_an_excluded_person_counts_and_one_with_a_rejected_file_does_not() -> None:
    records = [_photo("Eve", "Eve/1.jpg", "evaluate"), _photo("eve", "eve/1.jpg", "train", "x")]
    records += [_photo("Bob", "Bob/1.jpg", "train", "x"), Record("folder", "loose.jpg", image_id="Eve/1.jpg")]
    records[3].reject("misplaced", "outside")
    _decide(records)
    assert [record.status for record in records] == [
        "kept",
        "conflicting_identity",
        "conflicting_identity",
        "misplaced",
    ]


def test_conflicting_photos_do_not_make_a_person_fit_to_be_held_out() -> None:
    records = [_photo("Ann", f"Ann/{n}.jpg", "split", f"shared {n}") for n in (1, 2)]
    records += [_photo("Bob", f"Bob/{n}.jpg", "split", f"shared {n}") for n in (1, 2)]
    records += _people(2)
    assert set(_decide(records, held_out=9).held_out) <= {"p0", "p1"}


def test_files_without_an_identity_are_unchanged() -> None:
    records = [Record("folder", "readme.txt", status="unsupported", reason="no photo"), *_people(2)]
    _decide(records)
    assert (records[0].role, records[0].status) == (None, "unsupported")
