"""The decision on every scored pair, stored for paired comparisons with later models.

The copy is named by the digest of its bytes, which is in evaluation.json and a tag of the registered version.
"""

from pathlib import Path
from typing import Any

from facenet.atomic import write_bytes
from facenet.digests import file_digest
from tasks.evaluate.pairs import NAMES
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import write_table

COLUMNS = (*NAMES, "same", "fold", "distance", "threshold", "right")
FILE = "decisions.csv"


def report_decisions(evaluation: Evaluation, *, reports: Path, cache: Path) -> dict[str, Any]:
    """Write decisions.csv with one row per scored pair, copy it to `cache`, and return its digest."""
    pairs, result = evaluation.pairs.usable, evaluation.result
    columns = [
        *(pairs[name].tolist() for name in NAMES),
        evaluation.measured.pairs.same.tolist(),
        evaluation.measured.pairs.fold.tolist(),
        result.distances.tolist(),
        result.thresholds.tolist(),
        evaluation.correct.tolist(),
    ]
    rows = [row for row, scored in zip(zip(*columns, strict=True), evaluation.scored, strict=True) if scored]
    write_table(reports / FILE, COLUMNS, rows)
    digest = file_digest(reports / FILE)
    if not (cache / f"{digest}.csv").exists():
        write_bytes(cache / f"{digest}.csv", (reports / FILE).read_bytes())
    return {"decisions_sha256": digest}
