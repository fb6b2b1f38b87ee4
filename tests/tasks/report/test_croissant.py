"""mlcroissant, the reader of MLCommons, accepts the card and reads the tables through it."""

import json
from pathlib import Path

import mlcroissant
import pandas as pd
import pytest

from tasks.params.sources import OrlSource
from tasks.report.croissant import RECORDS, croissant
from tasks.report.dataset import describe_dataset
from tasks.report.inputs import read_findings
from tests.tasks.report.conftest import Reported

PHOTOS = [("a" * 64, "s1", "kept", 92, ""), ("b" * 64, None, "too_small", None, "10 pixels.")]
COLUMNS = ["image_id", "identity", "status", "width", "reason"]


@pytest.fixture
def card(reported: Reported, tmp_path: Path) -> Path:
    """A card in a workspace with small tables."""
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    photos = pd.DataFrame(PHOTOS, columns=COLUMNS)
    for name in RECORDS[Path("data/raw/manifest.parquet")][2]:
        photos[name] = photos.get(name, "x" if name in ("source", "role", "path") else 7)
    photos.astype({"width": "Int32"}).to_parquet(raw / "manifest.parquet")
    pd.read_parquet(reported.subject.pairs).to_parquet(raw / "pairs.parquet")
    decisions = {"rows": {"drop": 2}, "photos": {"drop": 5}, "pairs_left_out": 0}
    reported.change_metrics("ingest", decisions=decisions)
    findings = read_findings(reported.subject.reports)
    dataset = describe_dataset(findings, "faces", [OrlSource(kind="orl")], tmp_path)
    path = tmp_path / "reports" / "dataset_card.json"
    path.write_text(croissant(dataset))
    return path


def test_mlcroissant_accepts_the_card_and_reads_the_tables(card: Path) -> None:
    dataset = mlcroissant.Dataset(card)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    recommended = ("citeAs", "datePublished")  # a run knows neither
    assert all(any(name in warning for name in recommended) for warning in issues.warnings)
    photos = list(dataset.records("photos"))
    assert [row["photos/image_id"].decode() for row in photos] == [digest for digest, *_ in PHOTOS]
    assert [row["photos/status"].decode() for row in photos] == ["kept", "too_small"]
    assert photos[0]["photos/width"] == 92
    assert photos[1]["photos/width"] is None
    pairs = pd.read_parquet(card.parents[1] / "data" / "raw" / "pairs.parquet")
    read = list(dataset.records("pairs"))
    assert [row["pairs/same"] for row in read] == list(pairs["same"])
    assert [row["pairs/left"].decode() for row in read] == list(pairs["left"])


def test_a_changed_file_is_noticed(card: Path) -> None:
    (card.parents[1] / "data" / "raw" / "pairs.parquet").write_bytes(b"other")
    with pytest.raises(Exception, match="pairs"):
        list(mlcroissant.Dataset(card).records("pairs"))


def test_it_states_terms_problems_decisions_and_no_name(card: Path) -> None:
    content = json.loads(card.read_text())
    assert content["license"] == [
        "orl: the AT&T/ORL faces, free of charge; credit AT&T Laboratories Cambridge."
    ]
    assert content["rai:dataAnnotationProtocol"][1:] == ["2 decisions to drop, which affect 5 photos."]
    assert "ingest rejected 2 files: too small." in content["rai:dataPreprocessingProtocol"]
    assert any("not audited" in problem for problem in content["rai:dataLimitations"])
    assert content["distribution"][-1]["includes"] == "../data/raw/images-*.arrow"
    assert "s1" not in card.read_text().replace("sha", "")


def test_its_bytes_depend_on_the_data_only(card: Path) -> None:
    assert json.loads(card.read_text())["version"].startswith("1.0.0+")
    assert "date" not in {key.lower() for key in json.loads(card.read_text())}
