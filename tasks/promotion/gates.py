"""The gates: the ranges in which metrics must lie for a model to be registered."""

from collections.abc import Mapping
from typing import Any

from facenet.errors import GateFailed
from tasks.params.register import Bounds, Gate

TRAINED = "Train a better model, or change register.gates."
UNTRAINED = (
    "The weights are used as given (train.epochs is 0): set others in train.init, fine-tune them with "
    "train.epochs, or change register.gates if the gate was set for other data."
)


def check_gates(
    metrics: Mapping[str, Any], gates: Mapping[str, Gate], *, trained: bool = True
) -> dict[str, dict[str, float]]:
    """Return for each gate {"least": minimum, "most": maximum, "got": metric}; bounds not set are left out.

    trained: whether this pipeline trained the model, which decides the advice of the error.

    Raises:
        GateFailed: naming every metric that is missing, not a number, or out of its range.
    """
    if wrong := failures(metrics, gates):
        raise GateFailed(
            f"The model is not registered. {'; '.join(wrong)}. {TRAINED if trained else UNTRAINED}"
        )
    return {name: {**_limits(gate), "got": metrics[name]} for name, gate in gates.items()}


def failures(metrics: Mapping[str, Any], gates: Mapping[str, Gate]) -> list[str]:
    """Return a phrase for each gate that the metrics do not pass, with the required range and the metric."""
    return [
        f"{name}: required {range_text(gate)}, got {'none' if got is None else repr(got)}"
        for name, gate in gates.items()
        if not passes(got := metrics.get(name), gate)
    ]


def passes(got: Any, gate: Gate) -> bool:
    """Return whether a metric is a number within its gate; NaN never is."""
    limits = _limits(gate)
    least, most = limits.get("least"), limits.get("most")
    return (
        is_number(got)
        and (least is None or bool(got >= least))
        and (most is None or bool(got <= most))
        and got == got
    )


def range_text(gate: Gate) -> str:
    """Return the range of a gate in words, as in "at least 0.6"."""
    words = {"least": "at least", "most": "at most"}
    return " and ".join(f"{words[end]} {limit:g}" for end, limit in _limits(gate).items())


def is_number(value: Any) -> bool:
    """Return whether a metric is a number; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limits(gate: Gate) -> dict[str, float]:
    bounds = gate if isinstance(gate, Bounds) else Bounds(min=gate)
    ends = {"least": bounds.min, "most": bounds.max}
    return {end: limit for end, limit in ends.items() if limit is not None}
