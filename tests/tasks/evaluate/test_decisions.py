"""Decisions on scored pairs, stored under the digest of their bytes."""

import hashlib
from pathlib import Path

import pandas as pd

from tasks.evaluate.decisions import report_decisions
from tests.tasks.evaluate.test_slices import evaluation


def test_the_name_of_the_copy_is_its_digest(tmp_path: Path) -> None:
    result = evaluation()
    digest = report_decisions(result, reports=tmp_path, cache=tmp_path / "cache")["decisions_sha256"]
    data = (tmp_path / "cache" / f"{digest}.csv").read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest
    assert data == (tmp_path / "decisions.csv").read_bytes()
    table = pd.read_csv(tmp_path / "decisions.csv")
    assert len(table) == 120
    assert table["right"].mean() == result.correct.mean()
    assert (((table["distance"] < table["threshold"]) == table["same"]) == table["right"]).all()
    assert table["left_name"].tolist() == result.pairs.usable["left_name"].tolist()
