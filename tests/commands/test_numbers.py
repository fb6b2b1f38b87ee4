import argparse

import pytest

from commands.numbers import number_between


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "1.0001", "", "x", "1e400"])
def test_a_number_out_of_range_is_refused_with_value_and_range(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        number_between(0, 1)(text)
    assert str(caught.value) == f"{text!r} is not a number from 0 to 1"


def test_the_limits_are_in_range_unless_excluded() -> None:
    assert [number_between(0, 1)(text) for text in ("0", "1", "0.25")] == [0, 1, 0.25]
    within = number_between(0, 1, exclusive=True)
    assert within("0.709") == 0.709
    for text in ("0", "1", "1.0", "nan"):
        with pytest.raises(argparse.ArgumentTypeError, match="between 0 and 1, both excluded"):
            within(text)


def test_without_an_upper_limit_any_finite_number_is_in_range() -> None:
    at_least = number_between(12, None)
    assert at_least("12") == 12
    assert at_least("1e9") == 1e9
    for text in ("11.99", "inf", "nan"):
        with pytest.raises(argparse.ArgumentTypeError, match="of at least 12"):
            at_least(text)


def test_whole_numbers() -> None:
    whole = number_between(12, None, whole=True)
    assert whole("4096") == 4096
    assert isinstance(whole("4096"), int)
    for text in ("11", "12.5", "1e3", "inf"):
        with pytest.raises(argparse.ArgumentTypeError, match="not a whole number of at least 12"):
            whole(text)
