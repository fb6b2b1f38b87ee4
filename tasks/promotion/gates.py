"""Gates: the metrics that a model must reach to be registered."""

from collections.abc import Mapping
from typing import Any

from facenet.errors import GateFailed


def check_gates(metrics: Mapping[str, Any], gates: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return {"least": minimum, "got": measured} for each gate.

    Raises:
        GateFailed: names every metric that is missing, not a number, or below its minimum.
    """
    wrong = []
    for name, least in gates.items():
        if not passes(got := metrics.get(name), least):
            wrong.append(f"{name}: required at least {least}, got {'none' if got is None else repr(got)}")
    if wrong:
        raise GateFailed(
            f"The model is not registered. {'; '.join(wrong)}. Improve the model, or change register.gates."
        )
    return {name: {"least": least, "got": metrics[name]} for name, least in gates.items()}


def passes(got: Any, least: float) -> bool:
    """Return whether a metric is a number and at least its gate; NaN never passes."""
    return is_number(got) and bool(got >= least)


def is_number(value: Any) -> bool:
    """Return whether a metric is a number; True and False do not count as numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)
