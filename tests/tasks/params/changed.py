"""The default parameters with some values changed: as text, parsed, or the message that refuses them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from facenet.errors import ParamsInvalid
from tasks.params import Params, parse_params

DEFAULT = (Path(__file__).parents[3] / "recipes" / "default.yaml").read_text(encoding="utf-8")
MISSING = object()


def text(changes: dict[str, Any]) -> str:
    """Return the default parameters as YAML with dotted keys set, or removed if the value is MISSING."""
    params = yaml.safe_load(DEFAULT)
    for key, value in changes.items():
        *sections, last = key.split(".")
        place = params
        for section in sections:
            place = place[section]
        if value is MISSING:
            del place[last]
        else:
            place[last] = value
    return yaml.safe_dump(params)


def parsed(changes: dict[str, Any]) -> Params:
    return parse_params(text(changes))


def refusal(changes: dict[str, Any]) -> str:
    """Return the message with which the changed parameters are refused."""
    with pytest.raises(ParamsInvalid) as raised:
        parsed(changes)
    return str(raised.value)


def refused(key: str, value: Any) -> None:
    """Check that a value is refused by a message that names its key, and nothing else."""
    lines = refusal({key: value}).splitlines()
    assert lines[0] == "params.yaml is not valid:"
    assert lines[1:]
    assert all(line.startswith(f"  {key}") for line in lines[1:]), lines


def unknown(section: str) -> None:
    """Check that a section refuses a key that it does not define."""
    message = refusal({f"{section}.unheard_of": 1})
    assert f"  {section}.unheard_of: Extra inputs are not permitted" in message
