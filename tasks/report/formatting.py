"""Formatting of numbers and names on the page."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from markupsafe import Markup

NONE = "\N{EN DASH}"
UNIT = "\N{NO-BREAK SPACE}%"
BREAKS = re.compile(r"(?<=_)|(?<=\.)(?=[^\W\d])")
SLICES = {  # by properties of the photos
    "side": "face size",
    "sharpness": "sharpness",
    "brightness": "brightness",
    "turn": "turned head",
    "colour": "colour",
}


def percent(value: float | str | None, digits: int = 2) -> str:
    """Return a ratio as a percentage with at most `digits` decimals; a dash for a missing value."""
    found = _number(value)
    if found is None:
        return NONE
    text = f"{100 * found:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{UNIT}"


def fixed(value: float | str | None, digits: int = 2) -> str:
    """Return a ratio as a percentage with exactly `digits` decimals, for a table column."""
    found = _number(value)
    return NONE if found is None else f"{100 * found:.{digits}f}{UNIT}"


def rate(value: float | str | None) -> str:
    """Return a small ratio as a percentage with three significant digits and no exponent."""
    found = _number(value)
    return NONE if found is None else f"{Decimal(f'{100 * found:.3g}'):f}{UNIT}"


def decimal(value: float | str | None, digits: int = 4) -> str:
    """Return a number with `digits` significant digits; a dash for a missing value."""
    found = _number(value)
    return NONE if found is None else f"{found:.{digits}g}"


def count(value: float | str | None) -> str:
    """Return an integer with thousands separators; a dash for a missing value."""
    found = _number(value)
    return NONE if found is None else f"{found:,.0f}"


def signed(value: float) -> str:
    """Return a difference of two ratios in signed percentage points."""
    return f"{100 * value:+.2f}".replace("-", "\N{MINUS SIGN}")


def plain(value: Any) -> str:
    """Return the exact value of a parameter."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(plain, value)) if isinstance(value, list | tuple) and value else str(value)


def slice_name(name: str) -> str:
    """Return the display name of a slice such as "side, lowest third".

    The kind is left out if its part repeats it: "hat, both with a hat" is "both with a hat".
    """
    kind, _, part = name.partition(", ")
    if kind not in SLICES and kind in part:
        return part
    return f"{SLICES.get(kind, kind)}, {part}"


def short(name: str) -> str:
    """Return "Name_0001" of the photo "Name/Name_0001"."""
    return name.rpartition("/")[2]


def breakable(name: str) -> Markup:
    """Return a name, escaped, with line breaks allowed after underscores and after dots before letters."""
    return Markup("<wbr>").join(BREAKS.split(name))


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested parameters as (dotted name, value); list entries that are sections get an index."""
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        sections = isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value)
        inner = dict(enumerate(value)) if sections else value
        if isinstance(inner, Mapping) and inner:
            found += flat({str(key): item for key, item in inner.items()}, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _number(value: float | str | None) -> float | None:
    if value is None or value == "":
        return None
    found = float(value)
    return None if math.isnan(found) else found
