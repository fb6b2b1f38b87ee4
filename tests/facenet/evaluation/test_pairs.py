from pathlib import Path

import pytest

from facenet.errors import PairsFileInvalid
from facenet.evaluation.pairs import Pair, PhotoName, format_pairs, parse_pairs, parse_people

VIEW2 = b"2\t1\nAnn\t1\t4\nBob\t2\tCat\t1\nDan\t3\t1\nEve\t1\tFay\t12\n"


def _pair(left: tuple[str, int], right: tuple[str, int], fold: int) -> Pair:
    return Pair(PhotoName(*left), PhotoName(*right), left[0] == right[0], fold)


def test_view_2_has_folds_of_same_and_different_pairs() -> None:
    assert parse_pairs(VIEW2, origin="pairs.txt") == [
        _pair(("Ann", 1), ("Ann", 4), 0),
        _pair(("Bob", 2), ("Cat", 1), 0),
        _pair(("Dan", 3), ("Dan", 1), 1),
        _pair(("Eve", 1), ("Fay", 12), 1),
    ]


def test_view_1_is_one_fold() -> None:
    pairs = parse_pairs(b"1\nAnn\t1\t4\nBob\t2\tCat\t1\n", origin="pairsDevTest.txt")
    assert [pair.fold for pair in pairs] == [0, 0]


def test_crlf_a_byte_order_mark_blank_lines_and_blanks_for_tabs_are_read() -> None:
    data = b"\xef\xbb\xbf" + VIEW2.replace(b"\n", b"\r\n").replace(b"\t", b"  ") + b"\r\n\r\n"
    assert parse_pairs(data, origin="pairs.txt") == parse_pairs(VIEW2, origin="pairs.txt")


def test_a_name_may_have_blanks_if_tabs_separate_the_fields() -> None:
    pair = parse_pairs("1\nAda Lovelace\t1\t2\nAnn\t1\tZoë\t1\n".encode(), origin="x")
    assert pair[0].left == PhotoName("Ada Lovelace", 1)
    assert str(pair[0].left) == "Ada Lovelace/Ada Lovelace_0001"


def test_photos_may_be_numbered_from_zero() -> None:
    pairs = parse_pairs(b"1\nAnn\t0\t1\nAnn\t0\tBob\t0\n", origin="x")
    assert str(pairs[1].right) == "Bob/Bob_0000"
    assert parse_pairs(format_pairs(pairs).encode(), origin="x") == pairs


def test_a_pair_may_be_in_several_folds() -> None:
    fold = b"Ann\t1\t2\nAnn\t1\tBob\t1\n"
    assert len(parse_pairs(b"2\t1\n" + fold + fold, origin="x")) == 4


def test_names_are_nfc() -> None:
    decomposed = "1\nAnn\t1\t2\nAnn\t1\tZoe\u0308\t1\n".encode()
    assert parse_pairs(decomposed, origin="x")[1].right.identity == "Zo\u00eb"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"\x89PNG\r\n", "line 1: expected UTF-8 text"),
        (b"1\nAnn\t1\t2\n\xff\t1\tBob\t2\n", "line 3: expected UTF-8 text"),
        (b"<html>\n", "line 1: expected a header"),
        (b"0\n", "line 1: expected a header"),
        (b"10 300 5\n", "line 1: expected a header"),
        (b"10 -300\n", "line 1: expected a header"),
        (b"99999999999999999999\n", "line 1: expected a header"),
        (b"999999999 999999999\n", "found 0. Is it truncated"),
        (b"1\nAnn\t1\t2\n", "expected 1 folds of 1 same and 1 different pairs, 2 lines, found 1"),
        (b"1\nAnn\t1\tBob\t2\n", "line 2: expected three fields"),
        (b"1\nAnn\t1\tx\n", "line 2: expected three fields"),
        (b"1\nAnn\t1\t1\n", "another number; numbers from 0"),
        (b"1\nAnn\t-1\t1\n", "line 2: expected three fields"),
        (b"2\nA\t1\t2\nA\t2\t1\nA\t1\tB\t1\nA\t1\tB\t2\n", "line 3: expected a pair that is not in line 2"),
        (b"2\nA\t1\t2\nA\t1\t3\nA\t1\tB\t1\nB\t1\tA\t1\n", "line 5: expected a pair that is not in line 4"),
        (
            b"2\nA\t1\t2\n\nA\t01\t2\nA\t1\tB\t1\nB\t2\tA\t1\n",
            "line 4: expected a pair that is not in line 2",
        ),
        (b"1\nAnn\t1\t\xc2\xb2\n", "line 2: expected three fields"),
        (b"1\n\nAnn\t1\t2\n\nAnn\t1\t2\n", "line 5: expected four fields"),
        (b"1\nAnn\t1\t2\nAnn\t1\tAnn\t2\n", "another name"),
        (b"1\nAnn\t1\t2\n\t1\tAnn\t2\n", "line 3: expected four fields"),
        (b"1\nAnn\t1\t2\nAnn\t1\tBob\t2\nCat\t1\t2\n", "line 4: expected the end after 1 folds"),
    ],
)
def test_an_invalid_file_is_an_error_with_the_line_and_what_was_expected(data: bytes, message: str) -> None:
    with pytest.raises(PairsFileInvalid, match="the_file") as caught:
        parse_pairs(data, origin="the_file")
    assert message in str(caught.value)


def test_a_written_file_is_read_back_as_the_same_pairs() -> None:
    pairs = parse_pairs(VIEW2, origin="x")
    assert format_pairs(pairs).encode() == VIEW2


@pytest.mark.parametrize("order", [[1, 0, 2, 3], [0, 1, 2], [0, 2, 1, 3], [2, 3, 0, 1]])
def test_pairs_that_the_format_cannot_represent_are_an_error(order: list[int]) -> None:
    pairs = parse_pairs(VIEW2, origin="x")
    with pytest.raises(ValueError, match="as many same as different"):
        format_pairs([pairs[place] for place in order])


def test_people_of_both_views() -> None:
    assert parse_people(b"2\nAnn\t3\nBob\t1\n", origin="x") == {"Ann": 3, "Bob": 1}
    assert parse_people(b"2\n1\nAnn\t3\n2\nBob\t1\nCat\t2\n", origin="x") == {"Ann": 3, "Bob": 1, "Cat": 2}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: expected the number"),
        (b"Ann\t1\n", "line 1: expected the number"),
        (b"x\nAnn\t1\n", "line 1"),
        (b"2\nAnn\t1\n", "expected 2 people, found 1"),
        (b"1\nAnn\tx\n", "line 2"),
        (b"1\nAnn\t1\t2\n", "line 2"),
        (b"2\nAnn\nBob\t1\n", "line 2"),
        (b"2\nAnn\t1\nAnn\t1\n", "line 3: expected a person who is not in a line above"),
        (b"1\n2\nAnn\t1\n", "expected 2 people, found 1"),
    ],
)
def test_an_invalid_people_file_is_an_error_with_the_line(data: bytes, message: str) -> None:
    with pytest.raises(PairsFileInvalid, match="the_file") as caught:
        parse_people(data, origin="the_file")
    assert message in str(caught.value)


@pytest.mark.shared
def test_the_files_of_lfw(shared: Path) -> None:
    lfw = shared / "data" / "lfw"
    data = (lfw / "pairs.txt").read_bytes()
    pairs = parse_pairs(data, origin="pairs.txt")
    assert len(pairs) == 6000
    assert [sum(p.fold == fold and p.same for p in pairs) for fold in range(10)] == [300] * 10
    photos = {name for pair in pairs for name in (pair.left, pair.right)}
    assert (len(photos), len({photo.identity for photo in photos})) == (7701, 4281)
    assert format_pairs(pairs).encode() == data
    assert len(parse_pairs((lfw / "pairsDevTrain.txt").read_bytes(), origin="x")) == 2200
    assert len(parse_pairs((lfw / "pairsDevTest.txt").read_bytes(), origin="x")) == 1000
    people = parse_people((lfw / "people.txt").read_bytes(), origin="x")
    assert (len(people), sum(people.values())) == (5749, 13233)
    train = parse_people((lfw / "peopleDevTrain.txt").read_bytes(), origin="x")
    test = parse_people((lfw / "peopleDevTest.txt").read_bytes(), origin="x")
    assert (len(train), len(test), len({*train, *test})) == (4038, 1711, 5749)
