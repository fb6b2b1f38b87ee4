"""The metrics that a model must reach to be registered."""

from collections.abc import Mapping
from typing import Any

from facenet.errors import GateFailed


def check_gates(metrics: Mapping[str, Any], gates: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return for each gate {"least": wanted, "got": measured}.

    Raises:
        GateFailed: naming every metric that is missing, no number, or below its least value.
    """
    wrong = []
    for name, least in gates.items():
        if not passes(got := metrics.get(name), least):
            wrong.append(f"{name}: wanted at least {least}, got {'none' if got is None else repr(got)}")
    if wrong:
        raise GateFailed(
            f"The model is not registered. {'; '.join(wrong)}. Train a better one, or change register.gates."
        )
    return {name: {"least": least, "got": metrics[name]} for name, least in gates.items()}


def passes(got: Any, least: float) -> bool:
    """Tell whether a metric is a number that is not below its gate; NaN passes none."""
    return is_number(got) and bool(got >= least)


def is_number(value: Any) -> bool:
    """Tell whether a metric is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
