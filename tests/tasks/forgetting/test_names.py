import json

import pytest

from tasks.forgetting.names import Names

ADA = Names(["Ada Lovelace"])


@pytest.mark.parametrize(
    "value", ["Ada Lovelace", "ada_lovelace", "Ada Lovelace/1.jpg", "x/Ada Lovelace/1.jpg"]
)
def test_values_are_compared_whole_in_any_spelling(value: str) -> None:
    assert ADA.is_value(value)


@pytest.mark.parametrize("value", ["", None, 3, "Ada", "Ada Lovelace Jr", "x Ada Lovelace"])
def test_other_values_are_somebody_else(value: object) -> None:
    assert not ADA.is_value(value)


def test_a_name_within_a_value_is_not_exactly_the_name() -> None:
    assert ADA.is_exactly("ADA LOVELACE")
    for value in ("/srv/Ada Lovelace/x", "Ada Lovelace/1", "", None, 3):
        assert not ADA.is_exactly(value)


def test_tables_count_in_columns_of_names_only() -> None:
    assert ADA.in_table({"left_name": ["Bob/Bob_0001", "Ada Lovelace/Ada Lovelace_0002"]})
    assert not ADA.in_table({"reason": ["Ada Lovelace"]})
    assert Names(["1"]).in_table({"identity": ["1"]})
    assert not Names(["1"]).in_table({"epoch": ["1"]})


@pytest.mark.parametrize(
    "text",
    [
        "the photo of Ada Lovelace_0001 is",
        "<p>Ada Lovelace</p>",
        "see Ada_Lovelace_0001.jpg",
        "1: Ada%20Lovelace/1.jpg",
        '{"names": ["Bob", "Ada Lovelace"]}',
        '{"a": {"Ada Lovelace": 3}}',
        '{"a": 1}\n{"message": "no face of Ada Lovelace found"}\n',
    ],
)
def test_texts_and_json_have_the_name(text: str) -> None:
    assert ADA.in_document(text)


def test_escaped_names_are_found() -> None:
    assert Names(["Zoë & Co"]).in_document("<b>Zoë &amp; Co</b>")
    assert Names(["Zoë"]).in_document(json.dumps({"name": "Zoë"}))
    assert Names(["Zoë"]).in_document('not JSON: "Zo\\u00eb"')


@pytest.mark.parametrize("text", ["Ada Lovelaces", "xAda Lovelace", '{"adalovelace": 1}', "", "{}"])
def test_parts_of_other_words_are_not_the_name(text: str) -> None:
    assert not ADA.in_document(text)


@pytest.mark.parametrize("name", ["1", "s1"])
def test_short_and_numeric_names_count_only_where_they_are_unmistakable(name: str) -> None:
    names = Names([name])
    for text in (
        f'{{"{name}": 2, "epoch": 1}}',
        f"epoch {name} of 5",
        f"{name},0.5\n2,0.4\n",
        f"{name}2_0001",
    ):
        assert not names.in_document(text)
    for text in (
        f'["{name}"]',
        f"<td>{name}</td>",
        f"{name}/{name}_0001",
        f"see {name}_0001",
        f"{name}\t1\t2",
    ):
        assert names.in_document(text)


def test_a_list_in_one_text_has_a_short_name_but_not_a_number() -> None:
    assert Names(["s1"]).in_document('{"value": "s10, s1, s2"}')
    assert not Names(["s1"]).in_document('{"value": "s10, s11"}')
    assert not Names(["1"]).in_document('{"value": "1, 2, 3"}')


def test_nobody_has_no_name() -> None:
    assert not Names([]).in_document("Ada")
    assert not Names([]).is_value("")
