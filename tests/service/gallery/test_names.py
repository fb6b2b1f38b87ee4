"""Names are kept as they are written, and their key decides who is the same person."""

import pytest

from service.gallery.errors import NameInvalid
from service.gallery.names import LONGEST, checked_key


def test_spellings_of_one_person_have_one_key() -> None:
    assert checked_key("Zoë_Ball") == checked_key(" zoe ball ")
    assert checked_key("李小龍") != checked_key("李小")
    assert checked_key("'; DROP TABLE gallery_people; --")
    assert checked_key("🙂") != checked_key("🙃")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "not empty"),
        (" \u00a0 ", "not empty"),
        ("a" * (LONGEST + 1), "201 characters"),
        ("Ada\nLovelace", r"U\+000A"),
        ("Ada\0", r"U\+0000"),
        ("\ud800", r"U\+D800"),
        ("Ada \u202egpj.exe", r"U\+202E"),
    ],
)
def test_names_that_cannot_be_shown_are_refused(name: str, said: str) -> None:
    with pytest.raises(NameInvalid, match=said) as refused:
        checked_key(name)
    str(refused.value).encode()
