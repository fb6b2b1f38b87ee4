from dataclasses import replace

import pytest

from tasks.params.sources import OrlSource
from tasks.report.dataset import Dataset, describe_dataset
from tasks.report.dataset_card import dataset_card
from tasks.report.inputs import read_findings
from tasks.report.page import Subject


@pytest.fixture
def dataset(evaluated: Subject) -> Dataset:
    root = evaluated.reports.parent
    return describe_dataset(read_findings(evaluated.reports), "faces", [OrlSource(kind="orl")], root)


def test_a_card_has_what_a_reader_has_to_know(dataset: Dataset) -> None:
    text = dataset_card(dataset)
    assert text.startswith(
        "# faces-photos\n\n40 photos of the faces of 10 people, from 43 files; 120 pairs to evaluate on.\n"
    )
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        *("## Sources", "## Use", "## Rejected", "## Decisions", "## Known problems", "## Terms"),
        *("## Personal data", "## Intended for", "## Files"),
    ]
    for line in (
        *("| `orl` | 43 | 40 | 10 |", "| evaluation | 40 | 10 |", "| ingest | too small | 2 |"),
        "Nobody has decided about single photos or people.",
        "- In 1 photos no face was found; the centre of the photo is used instead.",
        "- `orl`: the AT&T/ORL faces, free of charge; credit AT&T Laboratories Cambridge.",
        f"| `data/raw/pairs.parquet` | `{dataset.files['data/raw/pairs.parquet']}` |",
    ):
        assert f"\n{line}\n" in text
    assert "[dataset_card.json](dataset_card.json)" in text
    assert "[model_card.md](model_card.md)" in text


def test_decisions_are_listed(dataset: Dataset) -> None:
    text = dataset_card(
        replace(dataset, decisions={"merge": (2, 1200)}, rejected={"ingest": {}, "align": {}})
    )
    assert "| Decision | Decisions | Photos |\n| --- | --- | --- |\n| merge | 2 | 1,200 |" in text
    assert "Nothing was rejected." in text
