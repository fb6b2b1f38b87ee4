"""Every decision on a pair, kept so that a later model can be compared with this one pair by pair.

Kept under the digest of its bytes, which evaluation.json names and a registered version carries as a tag.
"""

from pathlib import Path
from typing import Any

from facenet.atomic import write_bytes
from facenet.digests import file_digest
from tasks.evaluate.pairs import NAMES
from tasks.evaluate.result import Evaluated
from tasks.evaluate.tables import write_table

COLUMNS = (*NAMES, "same", "fold", "distance", "threshold", "right")
FILE = "decisions.csv"


def report_decisions(evaluated: Evaluated, *, reports: Path, kept: Path) -> dict[str, Any]:
    """Write decisions.csv with one row per scored pair, keep a copy, and return its digest as a metric."""
    pairs, result = evaluated.pairs.usable, evaluated.result
    columns = [
        *(pairs[name].tolist() for name in NAMES),
        evaluated.measured.pairs.same.tolist(),
        evaluated.measured.pairs.fold.tolist(),
        result.distances.tolist(),
        result.thresholds.tolist(),
        evaluated.right.tolist(),
    ]
    rows = [row for row, scored in zip(zip(*columns, strict=True), evaluated.scored, strict=True) if scored]
    write_table(reports / FILE, COLUMNS, rows)
    digest = file_digest(reports / FILE)
    if not (kept / f"{digest}.csv").exists():
        write_bytes(kept / f"{digest}.csv", (reports / FILE).read_bytes())
    return {"decisions_sha256": digest}
