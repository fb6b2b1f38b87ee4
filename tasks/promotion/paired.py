"""Pair-by-pair comparison of two registered versions on the pairs that both scored.

The stage evaluate stores every decision under the digest that the version has as the tag decisions_sha256: in
the cache of this workspace, and on the model's run, where other workspaces find it.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from facenet.errors import DataInvalid
from facenet.evaluation.bootstrap import person_codes
from facenet.evaluation.comparison import Comparison, compare
from facenet.evaluation.roc import exact_curve
from tasks import paths
from tasks.tracking.registry import Version
from tasks.tracking.runs import Run, open_run

DECISIONS = paths.DATA / "cache" / "decisions"
TAG = "decisions_sha256"
COMPARABLE = ("protocol", "pairs_sha256")  # tags in which two versions must agree to be compared
KEY = ["left_name", "right_name", "same", "fold"]


@dataclass(frozen=True, kw_only=True)
class CommonPairs:
    """Two versions on the pairs that both scored.

    coverage: these pairs as a fraction of all pairs of the protocol, in [0, 1].
    identical: whether neither version scored any other pair, so that their reported metrics are comparable.
    new, old: accuracy (mean over folds), AUC and EER of challenger and champion on these pairs.
    comparison: None without common pairs.
    """

    pairs: int
    coverage: float
    identical: bool
    new: dict[str, float]
    old: dict[str, float]
    comparison: Comparison | None


def common_pairs(
    challenger: Version | None, champion: Version | None, decisions: Path = DECISIONS
) -> CommonPairs | None:
    """Return two versions on the pairs that both scored; None without the decisions of both.

    Raises:
        DataInvalid: a decisions file does not match the digest in its version's tags.
    """
    if challenger is None or champion is None or challenger.number == champion.number:
        return None
    new, old = (_read(version, decisions) for version in (challenger, champion))
    if new is None or old is None:
        return None
    both = new.merge(old, on=KEY, suffixes=("_new", "_old"), validate="one_to_one")
    total = max(_total(challenger, new), _total(champion, old))
    return CommonPairs(
        pairs=len(both),
        coverage=len(both) / total if total else 0.0,
        identical=len(both) == len(new) == len(old),
        new=_metrics(both, "new"),
        old=_metrics(both, "old"),
        comparison=None if both.empty else _compare(both),
    )


def is_complete(version: Version) -> bool:
    """Return whether a version was scored on every pair of its protocol."""
    used = version.tags.get("pairs_used")
    return used is not None and used == version.tags.get("pairs_total")


def _compare(both: pd.DataFrame) -> Comparison:
    left, right = (both[side].str.rpartition("/")[0].to_numpy(np.str_) for side in KEY[:2])
    decided_new, decided_old, same = (
        both[name].to_numpy(bool) for name in ("right_new", "right_old", "same")
    )
    return compare(decided_new, decided_old, same, *person_codes(left, right))


def _metrics(both: pd.DataFrame, which: str) -> dict[str, float]:
    """Return the metrics of one version; AUC and EER only if there are same and different pairs."""
    if both.empty:
        return {}
    metrics = {"accuracy": float(both.groupby("fold")[f"right_{which}"].mean().mean())}
    same = both["same"].to_numpy(bool)
    if same.any() and not same.all():
        curve = exact_curve(both[f"distance_{which}"].to_numpy(np.float64), same)
        metrics |= {"auc": curve.auc(), "eer": curve.eer()}
    return metrics


def _total(version: Version, scored: pd.DataFrame) -> int:
    return max(len(scored), int(version.tags.get("pairs_total", 0)))


def _read(version: Version, decisions: Path) -> pd.DataFrame | None:
    """Return the decisions of a version; a pair that is listed twice counts once."""
    digest = version.tags.get(TAG)
    path = decisions / f"{digest}.csv"
    if digest is None:
        return None
    here = path.read_bytes() if path.exists() else None
    if here is not None and not _is(here, digest):
        raise DataInvalid(f"{path} does not match its digest. Delete it and run `dvc repro evaluate`.")
    data = here or _from_run(open_run(version.run_id), digest)
    if data is None:
        return None
    table = pd.read_csv(BytesIO(data), dtype=dict.fromkeys(KEY[:2], str), keep_default_na=False)
    return table.drop_duplicates(KEY)


def _from_run(run: Run | None, digest: str) -> bytes | None:
    """Return the decisions stored on a run; a run rebuilt by the stage register has them in its reports."""
    for artifact in (f"decisions/{digest}.csv", "reports/decisions.csv"):
        data = run.read_file(artifact) if run else None
        if data is not None and _is(data, digest):
            return data
    return None


def _is(data: bytes, digest: str) -> bool:
    return hashlib.sha256(data).hexdigest() == digest
