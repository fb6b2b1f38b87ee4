"""Formatting of numbers and names."""

import pytest

from tasks.report.formatting import (
    NONE,
    breakable,
    count,
    decimal,
    fixed,
    flat,
    percent,
    plain,
    rate,
    short,
    signed,
    slice_name,
)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (percent(0.5), "50 %"),
        (percent(0.98816), "98.82 %"),
        (percent(0.001, 4), "0.1 %"),
        (percent(1.0, 0), "100 %"),
        (percent("0.3"), "30 %"),
        (fixed(0.5), "50.00 %"),
        (rate("9.784e-07"), "0.0000978 %"),
        (rate(0.1), "10 %"),
        (rate(1.0), "100 %"),
        (decimal("0.647982"), "0.648"),
        (count(1234567), "1,234,567"),
        (signed(0.0072), "+0.72"),
        (signed(-0.0072), "\N{MINUS SIGN}0.72"),
        (plain(None), "null"),
        (plain(True), "true"),
        (plain([0.6, 0.7]), "0.6, 0.7"),
        (plain([]), "[]"),
        (plain(1e-07), "1e-07"),
        (short("Ann_Lee/Ann_Lee_0001"), "Ann_Lee_0001"),
        (slice_name("side, lowest third"), "face size, lowest third"),
        (slice_name("colour, both in colour"), "colour, both in colour"),
        (slice_name("hat, one with a hat"), "one with a hat"),
        (slice_name("hat, unknown"), "hat, unknown"),
        (slice_name("age, both young"), "age, both young"),
    ],
)
def test_values_are_formatted(written: str, text: str) -> None:
    assert written.replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize("write", [percent, fixed, decimal, count, rate])
@pytest.mark.parametrize("value", [None, "", float("nan")])
def test_a_missing_value_is_a_dash(write: object, value: object) -> None:
    assert callable(write)
    assert write(value) == NONE


def test_a_name_breaks_after_underscores_and_before_words_only() -> None:
    assert breakable("a_b<c>") == "a_<wbr>b&lt;c&gt;"
    assert breakable("pairs.txt") == "pairs.<wbr>txt"
    assert breakable("0.5") == "0.5"


def test_nested_parameters_have_dotted_names() -> None:
    values = {"a": 1, "b": {"c": {"d": None}, "e": []}, "s": [{"kind": "orl"}, {"kind": "lfw"}], "n": {}}
    assert flat(values) == [
        *(("a", 1), ("b.c.d", None), ("b.e", [])),
        *(("s.0.kind", "orl"), ("s.1.kind", "lfw"), ("n", {})),
    ]
