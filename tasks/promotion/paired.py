"""Two registered versions compared pair by pair, by the decisions of both.

The stage evaluate keeps every decision under its digest, which a version carries as the tag decisions_sha256:
in this workspace, and on the run of the model, from where any other workspace gets it.
"""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from facenet.errors import DataInvalid
from facenet.evaluation.bootstrap import person_codes
from facenet.evaluation.comparison import Comparison, compare
from tasks import paths
from tasks.tracking.registry import Version
from tasks.tracking.runs import Run, open_run

DECISIONS = paths.DATA / "cache" / "decisions"
TAG = "decisions_sha256"
COMPARABLE = ("protocol", "pairs_sha256")  # tags that two versions must share to be compared
KEY = ["left_name", "right_name", "same", "fold"]


def compare_versions(
    challenger: Version | None, champion: Version | None, decisions: Path = DECISIONS
) -> Comparison | None:
    """Return how two versions differ on the pairs that both were scored on; None if that cannot be told.

    Raises:
        DataInvalid: a file of decisions is not the one that its version was registered with.
    """
    if challenger is None or champion is None or challenger.number == champion.number:
        return None
    new, old = (_read(version, decisions) for version in (challenger, champion))
    if new is None or old is None:
        return None
    both = new.merge(old, on=KEY, suffixes=("_new", "_old"), validate="one_to_one")
    if both.empty:
        return None
    left, right = (both[side].str.rpartition("/")[0].to_numpy(np.str_) for side in KEY[:2])
    decided_new, decided_old, same = (
        both[name].to_numpy(bool) for name in ("right_new", "right_old", "same")
    )
    return compare(decided_new, decided_old, same, *person_codes(left, right))


def comparison_tags(found: Comparison, champion: Version) -> dict[str, str]:
    """Return what a version says of its comparison with `champion`."""
    low, high = found.interval
    values = {"difference": found.difference, "low": low, "high": high, "p_value": found.p_value}
    return {"paired_with": str(champion.number)} | {f"paired_{k}": f"{v:.6g}" for k, v in values.items()}


def _read(version: Version, decisions: Path) -> pd.DataFrame | None:
    digest = version.tags.get(TAG)
    path = decisions / f"{digest}.csv"
    if digest is None:
        return None
    here = path.read_bytes() if path.exists() else None
    if here is not None and not _is(here, digest):
        raise DataInvalid(f"{path} is not what its name says. Delete it and run `dvc repro evaluate`.")
    data = here or _from_run(open_run(version.run_id), digest)
    if data is None:
        return None
    return pd.read_csv(BytesIO(data), dtype=dict.fromkeys(KEY[:2], str), keep_default_na=False)


def _from_run(run: Run | None, digest: str) -> bytes | None:
    """Return the decisions that a run has; a run rebuilt by the stage register has them with its reports."""
    for artifact in (f"decisions/{digest}.csv", "reports/decisions.csv"):
        data = run.read_file(artifact) if run else None
        if data is not None and _is(data, digest):
            return data
    return None


def _is(data: bytes, digest: str) -> bool:
    return hashlib.sha256(data).hexdigest() == digest
