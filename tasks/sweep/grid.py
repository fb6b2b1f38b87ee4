"""A grid of parameters: axes with values, a point for each combination, params.yaml at each point."""

import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from facenet.errors import ParamsInvalid
from tasks.paths import PARAMS

Axes = Mapping[str, Sequence[Any]]
Point = dict[str, Any]


def parse_axis(text: str) -> tuple[str, list[Any]]:
    """Return key and values of an axis such as `train.margin=0.2,0.35`; values are YAML, lists in brackets.

    Raises:
        ParamsInvalid: the text does not have that form.
    """
    from ruamel.yaml import YAML  # reads 1e-3 as a number, which PyYAML does not
    from ruamel.yaml.error import MarkedYAMLError

    key, equals, values = text.partition("=")
    try:
        found = YAML(typ="safe", pure=True).load(io.StringIO(f"[{values}]"))
    except MarkedYAMLError as error:
        raise ParamsInvalid(f"The values of {text!r} are not valid YAML: {error}") from error
    if not key or not equals or not found:
        raise ParamsInvalid(
            f"{text!r} is not a valid grid axis. Write a key and its values: train.margin=0.2,0.35."
        )
    return key, list(found)


def make_points(axes: Axes, params: str) -> list[Point]:
    """Return every combination of the values; the last axis changes fastest.

    params: the text of params.yaml, which must contain every key.

    Raises:
        ParamsInvalid: no axes, an axis without values or with a repeated value, or an unknown key.
    """
    if not axes:
        raise ParamsInvalid("A grid needs at least one axis, such as train.margin=0.2,0.35.")
    sections = yaml.safe_load(params)
    for key, values in axes.items():
        _holder(sections, key)
        if not values:
            raise ParamsInvalid(f"The axis {key} has no values.")
        for value in values:
            if [repr(other) for other in values].count(repr(value)) > 1:
                raise ParamsInvalid(f"The axis {key} has the value {value!r} twice.")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def at_point(params: str, point: Point) -> str:
    """Return the text of params.yaml with the values of a point, without comments.

    Raises:
        ParamsInvalid: unknown key.
    """
    sections = yaml.safe_load(params)
    for key, value in point.items():
        _holder(sections, key)[key.rpartition(".")[2]] = value
    return yaml.safe_dump(sections, sort_keys=False)


def label(point: Point) -> str:
    """Return a point as text: `train.margin=0.2 train.epochs=4`."""
    return " ".join(f"{key}={value_text(value)}" for key, value in point.items())


def value_text(value: Any) -> str:
    """Return a value as in params.yaml, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=4096)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _holder(sections: Any, key: str) -> dict[str, Any]:
    """Return the mapping that contains the last part of a dotted key."""
    *parents, name = key.split(".")
    section = sections
    for parent in parents:
        section = section.get(parent) if isinstance(section, dict) else None
    if not parents or not isinstance(section, dict) or name not in section:
        siblings = (
            f" {'.'.join(parents)} has {', '.join(section)}." if isinstance(section, dict) and parents else ""
        )
        raise ParamsInvalid(f"{PARAMS} has no parameter {key}.{siblings} Write a key as section.name.")
    return section
