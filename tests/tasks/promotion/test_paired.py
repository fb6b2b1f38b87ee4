"""Pair-by-pair comparison of versions."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.promotion.paired import common_pairs, is_complete
from tasks.tracking import start_run
from tasks.tracking.registry import Version
from tests.tasks.promotion.versions import keep


def test_only_common_pairs_count(tmp_path: Path) -> None:
    old = keep(tmp_path, 1, {0, 1, 2, 3, 39})
    new = keep(tmp_path, 2, {0, 10}, pairs=30)
    common = common_pairs(new, old, tmp_path)
    assert common is not None
    assert (common.pairs, common.coverage, common.identical) == (30, 0.75, False)
    found = common.comparison
    assert found is not None
    assert (found.pairs, found.only_new, found.only_old) == (30, 3, 1)
    assert found.difference == pytest.approx(2 / 30)
    assert found.interval[0] < found.difference < found.interval[1]


def test_decisions_of_another_workspace_come_from_the_run(mlflow_store: Path, tmp_path: Path) -> None:
    """One version has a run that was evaluated again later, the other a run rebuilt from files."""
    versions = [keep(tmp_path, 1, {0, 1, 2}), keep(tmp_path, 2, {0})]
    expected = common_pairs(versions[1], versions[0], tmp_path)
    runs = [start_run(name="t", tags={}) for _ in versions]
    texts = [(tmp_path / f"{v.tags['decisions_sha256']}.csv").read_text() for v in versions]
    runs[0].log_text(texts[0], f"decisions/{versions[0].tags['decisions_sha256']}.csv")
    runs[0].log_text("another evaluation", "reports/decisions.csv")
    runs[1].log_text(texts[1], "reports/decisions.csv")
    old, new = (replace(v, run_id=run.run_id) for v, run in zip(versions, runs, strict=True))
    assert common_pairs(new, old, tmp_path / "elsewhere") == expected
    runs[1].log_text("something else", "reports/decisions.csv")
    assert common_pairs(new, old, tmp_path / "elsewhere") is None


def test_the_comparison_has_an_interval_and_mcnemar_s_p(tmp_path: Path) -> None:
    old, new = keep(tmp_path, 1, {0, 1, 2}), keep(tmp_path, 2, {0})
    common = common_pairs(new, old, tmp_path)
    assert common is not None
    found = common.comparison
    assert found is not None
    low, high = found.interval
    assert low <= found.difference <= high
    assert (found.only_new, found.only_old) == (2, 0)
    assert found.p_value == pytest.approx(0.5)


def test_without_decisions_of_both_there_is_no_comparison(mlflow_store: Path, tmp_path: Path) -> None:
    here = keep(tmp_path, 1, {1})
    gone = Version("faces", 2, "r" * 32, {"decisions_sha256": "0" * 64}, ())
    older = Version("faces", 3, "r" * 32, {}, ())
    for other in (gone, older, None, here):
        assert common_pairs(here, other, tmp_path) is None


def test_a_changed_file_is_an_error(tmp_path: Path) -> None:
    versions = [keep(tmp_path, number, {number}) for number in (1, 2)]
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes().replace(b"True", b"False"))
    with pytest.raises(DataInvalid, match="dvc repro evaluate"):
        common_pairs(*versions, tmp_path)


def test_metrics_are_those_of_the_common_pairs(tmp_path: Path) -> None:
    """Accuracy is the mean over folds, of 16 and 14 pairs; AUC and EER are those of the distances."""
    new, old = keep(tmp_path, 2, {0, 4}, pairs=30, total=40), keep(tmp_path, 1, {39}, total=40)
    common = common_pairs(new, old, tmp_path)
    assert common is not None
    assert common.new["accuracy"] == pytest.approx((14 / 16 + 1) / 2)
    assert common.new["auc"] == pytest.approx(1 - 2 / 15 / 2)
    assert common.new["eer"] == pytest.approx(0.1176, abs=1e-4)
    assert common.old == {"accuracy": 1.0, "auc": 1.0, "eer": 0.0}


def test_a_pair_that_is_listed_twice_counts_once(tmp_path: Path) -> None:
    versions = [keep(tmp_path, number, {number}) for number in (1, 2)]
    expected = common_pairs(versions[1], versions[0], tmp_path)
    for version in versions:
        lines = (tmp_path / f"{version.tags['decisions_sha256']}.csv").read_text().splitlines(keepends=True)
        data = "".join([*lines, lines[7]]).encode()
        version.tags["decisions_sha256"] = hashlib.sha256(data).hexdigest()
        (tmp_path / f"{version.tags['decisions_sha256']}.csv").write_bytes(data)
    assert common_pairs(versions[1], versions[0], tmp_path) == expected


def test_without_common_pairs_there_is_no_comparison(tmp_path: Path) -> None:
    here, other = keep(tmp_path, 1, set()), keep(tmp_path, 2, set())
    path = tmp_path / f"{here.tags['decisions_sha256']}.csv"
    data = path.read_bytes().replace(b"P", b"Q")
    other.tags["decisions_sha256"] = hashlib.sha256(data).hexdigest()
    (tmp_path / f"{other.tags['decisions_sha256']}.csv").write_bytes(data)
    common = common_pairs(here, other, tmp_path)
    assert common is not None
    assert (common.pairs, common.coverage, common.new, common.comparison) == (0, 0.0, {}, None)


def test_a_version_is_complete_if_it_scored_every_pair(tmp_path: Path) -> None:
    assert is_complete(keep(tmp_path, 1, set()))
    assert not is_complete(keep(tmp_path, 1, set(), pairs=39, total=40))
    assert not is_complete(Version("faces", 1, "r" * 32, {}, ()))
