"""Days of made-up traffic, and the model that they are compared with."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from facenet.monitoring.reference import MEASURES, Reference
from tasks.monitoring.rows import DecisionRow, Measures
from tasks.monitoring.watched import WatchedModel
from tests.tasks.monitoring.log import DIGEST, row

MIDDLE = np.array([0.99, 90, 40, 120, 0, 0.6, 0, 0.4])
SPREAD = np.array([0.005, 8, 10, 20, 0.1, 0.1, 3, 0.03])


def faces(count: int, seed: int) -> np.ndarray:
    """Return the (count, 8) measures of faces."""
    return MIDDLE + SPREAD * np.random.default_rng(seed).normal(0, 1, (count, len(MEASURES)))


def watched(rows: int = 400) -> WatchedModel:
    """Return a model whose evaluation has measured such faces."""
    centroid = np.zeros(4)
    reference = Reference(
        weights_sha256="w", photos=1000, no_face=2, centroid=centroid, rows=faces(rows, 999)
    )
    return WatchedModel(DIGEST, "models:/facenet/3", reference)


def traffic(
    day: str,
    count: int,
    seed: int,
    *,
    no_match: float = 0.1,
    change: Sequence[float] | None = None,
    **fields: Any,
) -> list[DecisionRow]:
    """Return the rows of a day; change: added to the measures, in standard deviations."""
    rng = np.random.default_rng(seed)
    measured = faces(count, seed + 1000) + SPREAD * np.asarray(change if change is not None else np.zeros(8))
    unknown = rng.random(count) < no_match
    scores = np.where(unknown, rng.normal(0.6, 0.05, count), rng.normal(0.3, 0.03, count))
    return [
        row(
            f"{day}T{number % 24:02}:00:00.000+00:00",
            **{
                "kind": "identify",
                "decision": "no match" if score >= 0.45 else "match",
                "score": float(score),
                "threshold": 0.45,
                "latency": float(rng.lognormal(3, 0.3)),
                "face": Measures(**dict(zip(MEASURES, map(float, values), strict=True))),
                **fields,
            },
        )
        for number, (score, values) in enumerate(zip(scores, measured, strict=True))
    ]
