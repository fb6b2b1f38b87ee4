"""Decisions on scored pairs, kept under the digest of their bytes."""

import hashlib
from pathlib import Path

import pandas as pd

from tasks.evaluate.decisions import report_decisions
from tests.tasks.evaluate.test_slices import evaluated


def test_the_copy_is_what_its_name_says(tmp_path: Path) -> None:
    result = evaluated()
    digest = report_decisions(result, reports=tmp_path, kept=tmp_path / "kept")["decisions_sha256"]
    data = (tmp_path / "kept" / f"{digest}.csv").read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest
    assert data == (tmp_path / "decisions.csv").read_bytes()
    table = pd.read_csv(tmp_path / "decisions.csv")
    assert len(table) == 120
    assert table["right"].mean() == result.right.mean()
    assert (((table["distance"] < table["threshold"]) == table["same"]) == table["right"]).all()
    assert table["left_name"].tolist() == result.pairs.usable["left_name"].tolist()
