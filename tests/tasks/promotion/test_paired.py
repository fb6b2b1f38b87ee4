"""Pair-by-pair comparison of versions."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.promotion.paired import compare_versions, comparison_tags
from tasks.tracking import start_run
from tasks.tracking.registry import Version


def keep(folder: Path, number: int, wrong: set[int], pairs: int = 40) -> Version:
    """Write the decisions of a version that is wrong on the pairs `wrong`."""
    names = [f"P{row // 2}/P{row // 2}_0001" for row in range(pairs)]
    others = [f"P{row // 2 + row % 2}/P{row // 2 + row % 2}_0002" for row in range(pairs)]
    table = pd.DataFrame({"left_name": names, "right_name": others, "same": np.arange(pairs) % 2 == 0})
    table = table.assign(
        fold=0, distance=1.0, threshold=1.0, right=[row not in wrong for row in range(pairs)]
    )
    data = table.to_csv(index=False, lineterminator="\n").encode()
    digest = hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{digest}.csv").write_bytes(data)
    return Version("faces", number, "r" * 32, {"decisions_sha256": digest}, ())


def test_only_common_pairs_count(tmp_path: Path) -> None:
    old = keep(tmp_path, 1, {0, 1, 2, 3, 39})
    new = keep(tmp_path, 2, {0, 10}, pairs=30)
    found = compare_versions(new, old, tmp_path)
    assert found is not None
    assert (found.pairs, found.only_new, found.only_old) == (30, 3, 1)
    assert found.difference == pytest.approx(2 / 30)
    assert found.interval[0] < found.difference < found.interval[1]


def test_decisions_of_another_workspace_come_from_the_run(mlflow_store: Path, tmp_path: Path) -> None:
    """One version has a run that was evaluated again later, the other a run rebuilt from files."""
    versions = [keep(tmp_path, 1, {0, 1, 2}), keep(tmp_path, 2, {0})]
    expected = compare_versions(versions[1], versions[0], tmp_path)
    runs = [start_run(name="t", tags={}) for _ in versions]
    texts = [(tmp_path / f"{v.tags['decisions_sha256']}.csv").read_text() for v in versions]
    runs[0].log_text(texts[0], f"decisions/{versions[0].tags['decisions_sha256']}.csv")
    runs[0].log_text("another evaluation", "reports/decisions.csv")
    runs[1].log_text(texts[1], "reports/decisions.csv")
    old, new = (replace(v, run_id=run.run_id) for v, run in zip(versions, runs, strict=True))
    assert compare_versions(new, old, tmp_path / "elsewhere") == expected
    runs[1].log_text("something else", "reports/decisions.csv")
    assert compare_versions(new, old, tmp_path / "elsewhere") is None


def test_the_comparison_becomes_tags(tmp_path: Path) -> None:
    old, new = keep(tmp_path, 1, {0, 1, 2}), keep(tmp_path, 2, {0})
    found = compare_versions(new, old, tmp_path)
    assert found is not None
    tags = comparison_tags(found, old)
    assert tags["paired_with"] == "1"
    assert float(tags["paired_difference"]) == pytest.approx(found.difference)
    assert float(tags["paired_low"]) <= float(tags["paired_difference"]) <= float(tags["paired_high"])
    assert float(tags["paired_p_value"]) == pytest.approx(0.5)


def test_without_decisions_of_both_there_is_no_comparison(mlflow_store: Path, tmp_path: Path) -> None:
    here = keep(tmp_path, 1, {1})
    gone = Version("faces", 2, "r" * 32, {"decisions_sha256": "0" * 64}, ())
    older = Version("faces", 3, "r" * 32, {}, ())
    for other in (gone, older, None, here):
        assert compare_versions(here, other, tmp_path) is None


def test_a_changed_file_is_an_error(tmp_path: Path) -> None:
    versions = [keep(tmp_path, number, {number}) for number in (1, 2)]
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes().replace(b"True", b"False"))
    with pytest.raises(DataInvalid, match="dvc repro evaluate"):
        compare_versions(*versions, tmp_path)
