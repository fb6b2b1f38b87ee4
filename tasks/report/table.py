"""A table of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.report.formatting import UNIT, fixed
from tasks.report.inputs import Row

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table: caption, column names, rows headed by their first cell, and which columns hold text.

    total: the number of all rows if `rows` holds only the first of them; file: where the rest is.
    """

    caption: str
    head: Cells
    rows: Sequence[Cells]
    words: tuple[int, ...] = ()
    total: int = 0
    file: str = ""


def interval(row: Row, name: str, digits: int = 2) -> str:
    """Return the columns NAME_low and NAME_high of a row as a range of percentages."""
    low, high = (fixed(row[f"{name}_{end}"], digits) for end in ("low", "high"))
    return f"{low.removesuffix(UNIT)} to {high}"
