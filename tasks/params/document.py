"""Read the bytes of params.yaml: encoding and YAML syntax, with errors that name the line."""

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from facenet.errors import ParamsInvalid
from tasks.paths import PARAMS

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path) -> str:
    """Return the text of a params.yaml.

    Raises:
        ParamsInvalid: the file is missing, cannot be read or is not encoded in UTF-8.
    """
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        folder = path.absolute().parent
        raise ParamsInvalid(f"There is no {path} in {folder}. Run from the root of the project.") from None
    except OSError as error:
        raise ParamsInvalid(f"{path} cannot be read: {error.strerror}.") from error


def decode(content: bytes) -> str:
    """Return the text of a params.yaml, without a byte order mark.

    Raises:
        ParamsInvalid: it is not UTF-8, the only encoding that DVC reads; the message names the line.
    """
    if content.startswith(UTF_16):
        raise ParamsInvalid(f"{PARAMS} is encoded in UTF-16. Save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise ParamsInvalid(
            f"{PARAMS} is not encoded in UTF-8: byte 0x{byte:02x} in line {line}. Save it as UTF-8."
        ) from error


def load(text: str) -> Any:
    """Return the content of a YAML text.

    Raises:
        ParamsInvalid: it is not YAML, a mapping has a key twice, or a date does not exist.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, AttributeError, RecursionError, TypeError, ValueError) as error:
        raise ParamsInvalid(f"{PARAMS} is not valid YAML: {error or type(error).__name__}") from error


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses what DVC refuses: a repeated key, a date that does not exist."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                problem = f"the key {key.value!r} occurs twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


def _date(loader: _Loader, node: yaml.ScalarNode) -> date:
    try:
        found: date = loader.construct_yaml_timestamp(node)
    except ValueError as error:
        problem = f"{node.value} is not a date: {error}. Quote it to make it a string"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date)
