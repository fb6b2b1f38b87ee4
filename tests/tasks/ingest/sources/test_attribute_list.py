"""Lists of attributes in both formats, and what is wrong with broken ones."""

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.sources.attribute_list import read_attributes

NATIVE = "2\nBald Young \n000001.jpg -1  1\n000002.jpg  1 -1\n"
CSV = "image_id,Bald,Young\n000001.jpg,-1,1\n000002.jpg,1,-1\n"
READ = (("Bald", "Young"), {"000001.jpg": b"\0\1", "000002.jpg": b"\1\0"})


@pytest.mark.parametrize("text", [NATIVE, CSV, NATIVE.replace("\n", "\r\n"), CSV + "\n"])
def test_both_formats_are_read(text: str) -> None:
    assert read_attributes(text, origin="list.txt") == READ


def test_names_are_in_unicode_form_nfc() -> None:
    _, found = read_attributes("image_id,Bald\nZoe\u0308.jpg,1\n", origin="list.csv")
    assert found == {"Zo\u00eb.jpg": b"\1"}


def test_a_photo_may_be_repeated_with_equal_values() -> None:
    text = "3\nBald Young\n" + NATIVE.split("\n", 2)[2] + "000001.jpg -1 1\n"
    assert read_attributes(text, origin="list.txt") == READ


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the number of photos, or image_id and the names"),
        ("Bald Young\n1.jpg 1 1\n", "line 1: expected the number of photos.*found 'Bald Young'. Is it the"),
        ("1\n", "line 2: expected the names of the attributes, each once, found ''"),
        ("1\nBald Young Bald\n1.jpg 1 1 1\n", "line 2: expected the names.*'Bald Young Bald'"),
        ("image_id,image_id\n1.jpg,1\n", "line 1: expected the names"),
        (
            "1\nBald Young\n1.jpg 1\n",
            "line 3: expected a file name and 2 values, each 1 or -1, found '1.jpg 1'",
        ),
        ("1\nBald Young\n1.jpg 1 1 1\n", "line 3: expected a file name and 2 values"),
        ("image_id,Bald\n1.jpg,1\n2.jpg,0\n", "line 3: expected a file name and 1 values.*'2.jpg,0'"),
        ("3\nBald\n1.jpg 1\n2.jpg 1\n", "line 1: expected rows for 3 photos, found 2. Download"),
        ("2\nBald\n1.jpg 1\n1.jpg -1\n", "line 4: 1.jpg has other values in a line above. Correct one"),
    ],
)
def test_an_invalid_list_is_an_error_with_the_line(text: str, message: str) -> None:
    with pytest.raises(SourceInvalid, match=f"^list.txt, {message}"):
        read_attributes(text, origin="list.txt")
