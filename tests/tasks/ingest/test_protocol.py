from facenet.evaluation.pairs import Pair, PhotoName
from tasks.ingest.protocol import draw_pairs, pair_rows, pairs_table, photo_names
from tasks.ingest.records import Record
from tests.tasks.ingest.settings import ingest_params


def _photo(identity: str, file: str, status: str = "kept", source: str = "folder") -> Record:
    path = f"{identity}/{file}"
    return Record(source, path, image_id=f"id of {path}", identity=identity, role="evaluate", status=status)


def _names(*records: Record) -> dict[str, str]:
    return {str(name).partition("/")[2]: record.path for name, record in photo_names(records).items()}


def test_photos_are_named_by_the_number_in_the_file_name() -> None:
    found = _names(_photo("Ann", "Ann_0012.jpg"), _photo("Ann", "Ann_3.png"), _photo("s1", "10.pgm"))
    assert found == {"Ann_0012": "Ann/Ann_0012.jpg", "Ann_0003": "Ann/Ann_3.png", "s1_0010": "s1/10.pgm"}


def test_photos_are_counted_if_any_name_has_no_number() -> None:
    photos = [_photo("Ann", "7.jpg"), _photo("Ann", "IMG_9.jpg"), _photo("Ann", "Bob_0001.jpg")]
    assert _names(*photos) == {
        "Ann_0001": "Ann/7.jpg",
        "Ann_0002": "Ann/IMG_9.jpg",
        "Ann_0003": "Ann/Bob_0001.jpg",
    }


def test_photos_of_a_person_in_two_sources_are_counted() -> None:
    photos = [_photo("Ann", "5.jpg"), _photo("Ann", "5.jpg", source="lfw")]
    assert list(_names(*photos)) == ["Ann_0001", "Ann_0002"]


def test_rejected_photos_keep_their_number_and_other_files_have_none() -> None:
    photos = [
        _photo("Ann", "a.jpg"),
        _photo("Ann", "b.jpg", "corrupt"),
        _photo("Ann", "b.txt", "unsupported"),
    ]
    assert list(_names(*photos)) == ["Ann_0001", "Ann_0002"]


def test_of_two_files_with_one_number_the_kept_one_has_it() -> None:
    photos = [_photo("Ann", "1.jpg", "corrupt"), _photo("Ann", "1.png"), _photo("Ann", "1.tif")]
    assert _names(*photos) == {"Ann_0001": "Ann/1.png"}


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
