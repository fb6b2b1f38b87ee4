"""Rows of the log as arrays, and parts of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
TEXTS = ("time", "model", "version", "site", "kind", "decision")


class Traffic:
    """Some rows of the log.

    Args:
        columns: (N,) each; texts as str, numbers as float64 with NaN where not measured.
    """

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._columns = columns

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Any]]) -> Self:
        """Return the rows that DecisionStore.read has returned."""
        texts = {name: np.array(columns[name], np.str_) for name in TEXTS}
        numbers = {
            name: np.array(values, np.float64)  # None becomes NaN
            for name, values in columns.items()
            if name not in (*TEXTS, "id", "main")
        }
        return cls({**texts, **numbers, "main": np.array(columns["main"], bool)})

    def __len__(self) -> int:
        return len(self._columns["time"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._columns[name]

    def where(self, chosen: Flags) -> "Traffic":
        """Return the rows for which `chosen` is True."""
        return Traffic({name: values[chosen] for name, values in self._columns.items()})

    def only(self, **equal: Any) -> "Traffic":
        """Return the rows with these values."""
        chosen = np.ones(len(self), bool)
        for name, value in equal.items():
            chosen &= self._columns[name] == value
        return self.where(chosen)

    def numbers(self, name: str) -> Floats:
        """Return the measured values of a column."""
        values = self._columns[name]
        return np.asarray(values[np.isfinite(values)], np.float64)

    def counts(self, name: str) -> dict[str, int]:
        """Return how often each text of a column occurs, in their order."""
        return dict(sorted(Counter(self._columns[name].tolist()).items()))

    def share(self, *decisions: str) -> tuple[int, int]:
        """Return how many rows have one of these decisions, and the number of rows."""
        return int(np.isin(self._columns["decision"], decisions).sum()), len(self)

    def table(self, names: Sequence[str]) -> Floats:
        """Return the (N, len(names)) values of columns, with NaN where not measured."""
        return np.column_stack([self._columns[name] for name in names]).astype(np.float64)

    def usual_threshold(self) -> float | None:
        """Return the threshold of most rows, None if most have none."""
        values = self._columns["threshold"]
        if not len(values):
            return None
        found, counts = np.unique(values, return_counts=True)
        most = float(found[counts.argmax()])
        return most if np.isfinite(most) else None
