"""What the label audit still suspects in the data, from reports/label_audit.parquet."""

from collections import Counter
from pathlib import Path

import pandas as pd

COLUMNS = ["kind", "digest", "identity", "group"]


def open_findings(audit: Path, manifest: Path) -> dict[str, int] | None:
    """Return the number of findings by kind, most frequent first, or None if there was no audit.

    Findings about photos that were dropped or moved since, and about people who are gone, do not count.
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
            (digest, identity) in photos if digest else identity in people
            for digest, identity in zip(group["digest"].fillna(""), group["identity"], strict=True)
        )
    )
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
