"""What the label audit still suspects in the data, from reports/label_audit.parquet."""

from collections import Counter
from pathlib import Path

import pandas as pd

COLUMNS = ["kind", "digest", "identity", "other_identity", "group"]


def open_findings(audit: Path, manifest: Path) -> dict[str, int] | None:
    """Return the number of findings by kind, most frequent first, or None if there was no audit.

    Findings about photos that were dropped or moved since, and about people who were merged, do not count.
    """
    if not audit.exists():
        return None
    suspects = pd.read_parquet(audit, columns=COLUMNS)
    rows = pd.read_parquet(manifest, columns=["image_id", "identity", "status"])
    kept = rows[rows["status"] == "kept"]
    photos, people = set(zip(kept["image_id"], kept["identity"], strict=True)), set(kept["identity"])
    counts = Counter(
        str(key[0])
        for key, group in suspects.groupby(["kind", "group"], sort=True)
        if any(
            (row.digest, row.identity) in photos
            if row.digest
            else {row.identity, row.other_identity} <= people
            for row in group.fillna("").itertuples()
        )
    )
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
