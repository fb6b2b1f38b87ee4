import re
import unicodedata
from typing import Literal

import pytest

from facenet.errors import PairsFileInvalid
from facenet.evaluation.pairs import Pair, PhotoName
from tasks.ingest.decided import Decided, apply_decisions
from tasks.ingest.protocol import (
    Row,
    check_different,
    distinct,
    draw_pairs,
    pair_rows,
    pairs_table,
    photo_names,
    remembered,
    undecided,
)
from tasks.ingest.records import Record
from tasks.labels.decision import Decision
from tasks.labels.forgotten import REFUSED, Entry, Forgotten
from tests.tasks.ingest.settings import ingest_params


def _photo(identity: str, file: str, status: str = "kept", source: str = "folder") -> Record:
    path = f"{identity}/{file}"
    return Record(source, path, image_id=f"id of {path}", identity=identity, role="evaluate", status=status)


def _names(*records: Record) -> dict[str, str]:
    return {str(name).partition("/")[2]: record.path for name, record in photo_names(records).items()}


def test_photos_are_named_by_the_number_in_the_file_name() -> None:
    found = _names(_photo("Ann", "Ann_0012.jpg"), _photo("Ann", "Ann_3.png"), _photo("s1", "10.pgm"))
    assert found == {"Ann_0012": "Ann/Ann_0012.jpg", "Ann_0003": "Ann/Ann_3.png", "s1_0010": "s1/10.pgm"}


@pytest.mark.parametrize(
    "files",
    [
        ["0.jpg", "1.jpg", "2.jpg"],
        ["Ann_0.jpg", "Ann_0003.jpg", "Ann_12.jpg"],
        ["Ann-00000000007.jpg", "Ann 008.jpg", "ann_9.jpg"],
        ["20230101.jpg", "99999999.jpg", "Ann_5.jpg"],
    ],
)
def test_any_numbering_is_taken_over(files: list[str]) -> None:
    numbers = [int(re.findall(r"\d+", file)[0]) for file in files]
    found = photo_names(_photo("Ann", file) for file in files)
    assert {name.number: record.path for name, record in found.items()} == {
        number: f"Ann/{file}" for number, file in zip(numbers, files, strict=True)
    }


def test_files_without_any_number_are_counted_from_1() -> None:
    photos = [_photo("Ann", "IMG_9.jpg"), _photo("Ann", "Bob_0001.jpg"), _photo("Ann", "1601234567.jpg")]
    assert list(_names(*photos)) == ["Ann_0001", "Ann_0002", "Ann_0003"]


def test_a_file_without_a_number_never_gets_the_number_of_a_missing_file() -> None:
    photos = [_photo("Ann", file) for file in ("Ann_0001.jpg", "Ann_0002 copy.jpg", "Ann_0003.jpg", "me.jpg")]
    assert _names(*photos) == {
        "Ann_0001": "Ann/Ann_0001.jpg",
        "Ann_0003": "Ann/Ann_0003.jpg",
        "Ann_100000001": "Ann/Ann_0002 copy.jpg",
        "Ann_100000002": "Ann/me.jpg",
    }


def test_photos_of_a_person_in_two_sources_all_have_a_name() -> None:
    photos = [_photo("Ann", "5.jpg"), _photo("Ann", "5.jpg", source="lfw")]
    assert list(_names(*photos)) == ["Ann_0005", "Ann_100000001"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_file_names_in_any_unicode_form_are_those_of_their_person(form: Literal["NFC", "NFD"]) -> None:
    person = unicodedata.normalize("NFC", "Zoë Bäll")
    photos = [_photo(person, unicodedata.normalize(form, f"Zoë Bäll_000{n}.jpg")) for n in (2, 3)]
    assert [name.number for name in photo_names(photos)] == [2, 3]


def test_twins_in_both_unicode_forms_are_two_photos() -> None:
    photos = [_photo("Zoë", unicodedata.normalize(form, "Zoë_0001.jpg")) for form in ("NFC", "NFD")]
    assert [name.number for name in photo_names(photos)] == [1, 100_000_001]


def test_rejected_photos_keep_their_number_and_other_files_have_none() -> None:
    photos = [
        _photo("Ann", "a.jpg"),
        _photo("Ann", "b.jpg", "corrupt"),
        _photo("Ann", "b.txt", "unsupported"),
    ]
    assert list(_names(*photos)) == ["Ann_0001", "Ann_0002"]


def test_of_two_files_with_one_number_the_kept_one_has_it() -> None:
    photos = [_photo("Ann", "1.jpg", "corrupt"), _photo("Ann", "1.png"), _photo("Ann", "01.tif")]
    assert _names(*photos) == {
        "Ann_0001": "Ann/1.png",
        "Ann_100000001": "Ann/1.jpg",
        "Ann_100000002": "Ann/01.tif",
    }


def test_a_name_with_regex_characters_is_taken_literally() -> None:
    assert _names(_photo("A.+(", "A.+(_2.jpg")) == {"A.+(_0002": "A.+(/A.+(_2.jpg"}


def test_rows_keep_the_order_and_missing_photos_are_null() -> None:
    kept, corrupt = _photo("Ann", "1.jpg"), _photo("Ann", "2.jpg", "corrupt")
    one, two, gone = PhotoName("Ann", 1), PhotoName("Ann", 2), PhotoName("Bob", 1)
    pairs = [Pair(one, two, True, 0), Pair(gone, one, False, -1)]
    table = pairs_table(pair_rows(pairs, photo_names([kept, corrupt]), {kept.image_id}))
    assert table.to_pylist() == [
        {
            "left": "id of Ann/1.jpg",
            "right": None,
            "same": True,
            "fold": 0,
            "left_name": "Ann/Ann_0001",
            "right_name": "Ann/Ann_0002",
        },
        {
            "left": None,
            "right": "id of Ann/1.jpg",
            "same": False,
            "fold": -1,
            "left_name": "Bob/Bob_0001",
            "right_name": "Ann/Ann_0001",
        },
    ]


def test_a_duplicate_resolves_to_the_kept_photo() -> None:
    kept, again = _photo("Ann", "1.jpg"), _photo("Ann", "2.jpg", "duplicate")
    again.image_id = kept.image_id
    (row,) = pair_rows(
        [Pair(PhotoName("Ann", 2), PhotoName("Bob", 1), False, 0)],
        photo_names([kept, again]),
        {kept.image_id},
    )
    assert row["left"] == kept.image_id


def _row(left: str, right: str, fold: int = 0, names: tuple[str, str] | None = None) -> Row:
    left_name, right_name = names or (left, right)
    return {"left": left, "right": right, "fold": fold, "left_name": left_name, "right_name": right_name}


def test_a_pair_is_scored_once_in_a_fold_in_any_order_and_under_any_name() -> None:
    rows = [
        _row("a", "b"),
        _row("b", "a"),
        _row("a", "b", fold=1),
        _row("a", "b", names=("twin of a", "b")),
        _row("a", "a", names=("a", "twin of a")),
        _row("a", "c"),
    ]
    assert distinct(rows) == [rows[0], rows[2], rows[5]]


def test_pairs_with_missing_photos_are_compared_by_name() -> None:
    rows = [
        {**_row("a", "b"), "left": None},
        {**_row("x", "b"), "left": None},
        {**_row("b", "a"), "right": None},
    ]
    assert distinct(rows) == rows[:2]


def test_a_pair_of_different_people_that_were_merged_is_an_error() -> None:
    photos = [_photo("Ada Lovelace", "1.jpg"), _photo("ada_lovelace", "1.jpg")]
    names = photo_names(photos)
    pair = Pair(PhotoName("Ada Lovelace", 1), PhotoName("ada_lovelace", 1), False, 0)
    check_different([pair], names)
    photos[1].identity = "Ada Lovelace"
    with pytest.raises(PairsFileInvalid, match=r"Set ingest\.same_name to warn"):
        check_different([pair], names)


def test_no_generated_pair_has_two_spellings_of_a_person() -> None:
    spellings = [
        _photo(name, f"{n}.jpg") for name in ("Ada Lovelace", "ada_lovelace", "Bob") for n in range(3)
    ]
    more = [_photo("ada_lovelace", "9.jpg")]
    pairs = draw_pairs(photo_names([*spellings, *more]), ingest_params(), 0)
    assert {photo.identity for pair in pairs for photo in (pair.left, pair.right)} == {"ada_lovelace", "Bob"}
    assert {photo.number for pair in pairs for photo in (pair.left, pair.right)} == {0, 1, 2, 9}


def test_pairs_are_drawn_from_kept_photos_of_evaluated_people() -> None:
    trains = _photo("Cat", "1.jpg")
    trains.role = "train"
    people = [_photo(name, f"{n}.jpg", "corrupt" if n == 3 else "kept") for name in "AB" for n in (1, 2, 3)]
    pairs = draw_pairs(photo_names([*people, trains]), ingest_params(), 0)
    assert {str(photo) for pair in pairs for photo in (pair.left, pair.right)} == {
        "A/A_0001",
        "A/A_0002",
        "B/B_0001",
        "B/B_0002",
    }
    assert [pair.same for pair in pairs] == [True, True, False, False]


def test_pairs_of_forgotten_people_and_photos_are_left_out_and_those_of_missing_ones_stay() -> None:
    ann, bob, eve = PhotoName("Ann", 1), PhotoName("Bob", 1), PhotoName("Eve", 1)
    zoe, lost = PhotoName("Zoë", 2), PhotoName("Eve", 9)
    pairs = [Pair(ann, other, same=False, fold=0) for other in (bob, eve, zoe, lost)]
    names = {photo: _photo(photo.identity, "1.jpg") for photo in (ann, bob, eve)}
    receipt = Forgotten()
    for name in (
        "zoe",
        "Eve/Eve_0001",
        "Bob",
    ):  # the photo of Eve and all of Bob came again, with other bytes
        entry = Entry("0" * 64, receipt.pseudonym(name), REFUSED, "2026-12-01T00:00:00Z")
        receipt = Forgotten((*receipt.entries, entry))
    assert remembered(pairs, names, receipt) == [pairs[0], pairs[1], pairs[3]]
    del names[eve]
    assert remembered(pairs, names, receipt) == [pairs[0], pairs[3]]
    assert remembered(pairs, names, Forgotten()) == pairs


def test_pairs_that_decisions_made_wrong_are_left_out() -> None:
    people = ("Ann", 1), ("Ann", 2), ("Bob", 1), ("Bob", 2), ("Cid", 1), ("Dan", 1)
    photos = {PhotoName(*person): _photo(person[0], f"{person[1]}.jpg") for person in people}
    for number, photo in enumerate(photos.values()):
        photo.image_id = f"{number:064x}"
    ann, moved, bob, dropped, cid, dan = photos
    lost = PhotoName("Eve", 9)
    decisions = [
        Decision(f"{1:064x}", "Ann", "move", "Cid"),
        Decision(f"{3:064x}", "Bob", "drop"),
        Decision(f"{2:064x}", "Bob", "keep"),
        Decision("", "Ann", "merge", "Dan"),
    ]
    right = [
        Pair(ann, bob, False, 0),
        Pair(ann, lost, False, 0),
        Pair(bob, cid, False, 1),
        Pair(ann, ann, True, 1),
    ]
    wrong = [Pair(ann, moved, True, 0), Pair(bob, dropped, True, 0), Pair(moved, lost, False, 0)]
    wrong += [Pair(dan, ann, False, 1)]
    decided = apply_decisions(list(photos.values()), decisions, ingest_params(decisions="d.csv"))
    assert undecided([*right, *wrong], photos, decided) == right
    assert undecided(wrong, photos, Decided()) == wrong
