"""The base of all sections: number types have ranges, unknown keys are refused, values cannot change."""

from typing import Annotated

import pytest
from pydantic import ValidationError

from tasks.params.section import Fraction, Natural, Positive, Section, Sha256, one_of


class Numbers(Section):
    fraction: Fraction = 0.5
    positive: Positive = 1
    natural: Natural = 0
    digest: Sha256 = "0" * 64


def test_limits_are_accepted() -> None:
    for fraction in (0, 1):
        assert Numbers(fraction=fraction).fraction == fraction
    assert Numbers(positive=1, natural=0).natural == 0
    assert Numbers(digest="0123456789abcdef" * 4).digest == "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fraction", -0.01),
        ("fraction", 1.01),
        ("positive", 0),
        ("positive", 1.5),
        ("natural", -1),
        ("digest", "0" * 63),
        ("digest", "0" * 65),
        ("digest", "A" * 64),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Numbers.model_validate({name: value})


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="unheard_of"):
        Numbers.model_validate({"unheard_of": 1})


def test_values_cannot_change() -> None:
    numbers = Numbers()
    with pytest.raises(ValidationError, match="frozen"):
        numbers.natural = 3


def test_one_of_accepts_its_names_and_lists_them_otherwise() -> None:
    class Choice(Section):
        name: Annotated[str, one_of({"a": 1, "b": 2})]

    assert Choice(name="b").name == "b"
    with pytest.raises(ValidationError, match="Input should be 'a', 'b'"):
        Choice(name="c")
