"""Grids: axes as typed, every combination once, parameters at a point."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from facenet.errors import ParamsInvalid
from tasks.params import parse_params
from tasks.sweep.grid import at_point, label, make_points, parse_axis


@pytest.fixture
def params(root: Path) -> str:
    return (root / "recipes" / "default.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("train.margin=0.2,0.35", ("train.margin", [0.2, 0.35])),
        ("train.epochs=2, 4", ("train.epochs", [2, 4])),
        ("train.schedule.rate=1e-3", ("train.schedule.rate", [0.001])),
        ("train.loss=cosface,arcface", ("train.loss", ["cosface", "arcface"])),
        ("train.ema=null,0.99", ("train.ema", [None, 0.99])),
        ("train.flip=true,false", ("train.flip", [True, False])),
        ("align.thresholds=[0.6,0.7],[0.7]", ("align.thresholds", [[0.6, 0.7], [0.7]])),
    ],
)
def test_an_axis_is_a_key_and_yaml_values(text: str, axis: tuple[str, list[Any]]) -> None:
    assert parse_axis(text) == axis


@pytest.mark.parametrize("text", ["train.margin", "train.margin=", "=0.2", "train.margin=[0.2", "train.x={"])
def test_an_invalid_axis_is_refused(text: str) -> None:
    with pytest.raises(ParamsInvalid, match=r"train\.margin|=0\.2|train\.x"):
        parse_axis(text)


def test_points_are_all_combinations_in_order(params: str) -> None:
    axes = {"train.margin": [0.35, 0.2], "train.epochs": [2, 4], "base.seed": [1]}
    assert [tuple(point.values()) for point in make_points(axes, params)] == [
        (0.35, 2, 1),
        (0.35, 4, 1),
        (0.2, 2, 1),
        (0.2, 4, 1),
    ]


@pytest.mark.parametrize(
    ("axes", "complaint"),
    [
        ({}, "needs at least one axis"),
        ({"train.margin": []}, "no values"),
        ({"train.margin": [0.2, 0.3, 0.2]}, r"0\.2 twice"),
        ({"train.margn": [0.2]}, r"no parameter train\.margn\. train has network, .*margin"),
        ({"trian.margin": [0.2]}, r"no parameter trian\.margin"),
        ({"train.margin.deep": [0.2]}, r"no parameter train\.margin\.deep"),
        ({"train": [{}]}, r"no parameter train\. "),
    ],
)
def test_an_invalid_grid_is_refused(axes: Any, complaint: str, params: str) -> None:
    with pytest.raises(ParamsInvalid, match=complaint):
        make_points(axes, params)


def test_a_point_changes_its_values_and_nothing_else(params: str) -> None:
    point = {"train.margin": 0.35, "train.schedule.rate": 1e-05, "train.ema": None, "train.loss": "arcface"}
    before, after = yaml.safe_load(params), yaml.safe_load(at_point(params, point))
    assert after["train"]["schedule"]["rate"] == 1e-05
    assert (after["train"]["margin"], after["train"]["loss"], after["train"]["ema"]) == (
        0.35,
        "arcface",
        None,
    )
    before["train"] |= {"margin": 0.35, "loss": "arcface", "ema": None}
    before["train"]["schedule"]["rate"] = 1e-05
    assert after == before
    parse_params(at_point(params, point))


def test_the_text_of_a_point() -> None:
    assert label({"train.margin": 0.2, "train.ema": None, "align.thresholds": [0.6, 0.7]}) == (
        "train.margin=0.2 train.ema=null align.thresholds=[0.6, 0.7]"
    )
