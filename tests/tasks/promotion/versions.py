"""Versions to compare: their decisions in a folder, their tags, and real ones on a store."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tasks.params.register import PromotionParams, RegisterParams
from tasks.tracking import registry, start_run
from tasks.tracking.registry import Version

ALIKE = {
    "protocol": "LFW View 2",
    "pairs_sha256": "p" * 64,
    "pairs_total": "6000",
    "pairs_used": "6000",
    "far_target": "0.001",
}
Challenge = Callable[..., int]


def rule(
    metric: str = "accuracy",
    gain: float = 0.0,
    *,
    significant: bool = False,
    margin: float | None = None,
    model: str = "faces",
) -> RegisterParams:
    promotion = PromotionParams(metric=metric, min_gain=gain, margin=margin, require_significance=significant)
    return RegisterParams(model=model, gates={}, promotion=promotion)


def keep(folder: Path, number: int, wrong: set[int], pairs: int = 40, total: int | None = None) -> Version:
    """Write the decisions of a version that is wrong on the pairs `wrong`, and return it with its tags.

    It scored the first `pairs` of `total`; every second pair is of one person, and there are two folds.
    """
    rows = range(pairs)
    names = [f"P{row // 2}/P{row // 2}_0001" for row in rows]
    others = [f"P{row // 2 + row % 2}/P{row // 2 + row % 2}_0002" for row in rows]
    table = pd.DataFrame({"left_name": names, "right_name": others, "same": np.arange(pairs) % 2 == 0})
    right = np.array([row not in wrong for row in rows])
    distance = np.where(table["same"] == right, 0.5, 1.5)
    fold = np.arange(pairs) // 2 % 2
    table = table.assign(fold=fold, distance=distance, threshold=1.0, right=right)
    data = table.to_csv(index=False, lineterminator="\n").encode()
    digest = hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}.csv").write_bytes(data)
    metrics = {"accuracy": f"{1 - len(wrong) / pairs}", "pairs_used": str(pairs)}
    tags = {**ALIKE, **metrics, "pairs_total": str(total or pairs), "decisions_sha256": digest}
    return Version("faces", number, "r" * 32, tags, ())


def challenge(accuracy: float, model: str = "faces", **more: str) -> int:
    """Register a challenger with that accuracy and return its number."""

    def save(folder: Path, model_id: str) -> None:
        folder.mkdir()
        (folder / "MLmodel").write_text(f"model_id: {model_id}\n")

    tags = {**ALIKE, "accuracy": str(accuracy), "commit": "c" * 40, **more}
    made = registry.create_version(model, start_run(name="t", tags={}), save=save, tags=tags, metrics={})
    registry.set_alias(model, registry.CHALLENGER, made.number)
    return made.number
