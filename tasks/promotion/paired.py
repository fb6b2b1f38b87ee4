"""Pair-by-pair comparison of two registered versions.

The stage evaluate stores every decision under the digest that the version has as the tag decisions_sha256: in
the cache of this workspace, and on the model's run, where other workspaces find it.
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
COMPARABLE = ("protocol", "pairs_sha256")  # tags in which two versions must agree to be compared
KEY = ["left_name", "right_name", "same", "fold"]


def compare_versions(
    challenger: Version | None, champion: Version | None, decisions: Path = DECISIONS
) -> Comparison | None:
    """Return the difference of two versions on the pairs that both scored; None without decisions of both.

    Raises:
        DataInvalid: a decisions file does not match the digest in its version's tags.
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
    """Return the tags with which a version records its comparison with `champion`."""
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
        raise DataInvalid(f"{path} does not match its digest. Delete it and run `dvc repro evaluate`.")
    data = here or _from_run(open_run(version.run_id), digest)
    if data is None:
        return None
    return pd.read_csv(BytesIO(data), dtype=dict.fromkeys(KEY[:2], str), keep_default_na=False)


def _from_run(run: Run | None, digest: str) -> bytes | None:
    """Return the decisions stored on a run; a run rebuilt by the stage register has them in its reports."""
    for artifact in (f"decisions/{digest}.csv", "reports/decisions.csv"):
        data = run.read_file(artifact) if run else None
        if data is not None and _is(data, digest):
            return data
    return None


def _is(data: bytes, digest: str) -> bool:
    return hashlib.sha256(data).hexdigest() == digest
