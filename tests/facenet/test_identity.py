"""Spellings of one person fold to the same name; names of two people do not."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facenet.identity import fold_name, one_spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë_Ball", "zoe ball"),
        ("Zoe\u0308 Ball", "ZOË BALL"),
        ("Jean-Pierre", "Jean_Pierre"),
        ("Conan O'Brien", "conan obrien"),
        ("Conan O\u02bcBrien", "Conan O\u2019Brien"),
        ("Weiß", "WEISS"),
        ("Lech Wałęsa", "Lech Walesa"),
        ("Søren", "Soren"),
        ("Ægir", "aegir"),
        ("İpek", "ipek"),
        ("I\u015f\u0131k", "isik"),
        ("Dvořák", "Dvorak"),
        ("\uff26\uff55\uff4c\uff4c", "full"),
        ("George W. Bush", "George_W_Bush"),
        ("Ἀθηνᾶ", "αθηνα"),
        ("Йосиф", "йосиф"),
    ],
)
def test_one_person(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s1", "s10"),
        ("1_12", "11_2"),
        ("1-1", "11"),
        ("Anna", "Ana"),
        ("山田", "田山"),
        ("कि", "की"),
        ("...", "___"),
        ("", "_"),
    ],
)
def test_two_people(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


def test_names_of_one_person_get_its_first_spelling() -> None:
    names = ["Zoë Ball", "Ann", "zoe_ball", "ANN", "Bob", "Zoë Ball"]
    assert one_spelling(names) == ["Zoë Ball", "Ann", "Zoë Ball", "Ann", "Bob", "Zoë Ball"]
    assert one_spelling([]) == []


def test_golden_values() -> None:
    assert fold_name("Zoë_Ball") == "zoeball"
    assert fold_name("n000001") == "n000001"
    assert fold_name("") == ""


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_folding_is_idempotent_and_independent_of_the_unicode_form(name: str) -> None:
    folded = fold_name(name)
    assert fold_name(folded) == folded
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold_name(unicodedata.normalize(form, name)) == folded
