from pathlib import Path

from facenet.digests import file_digest
from tasks.params.sources import FolderSource, OrlSource
from tasks.report.dataset import SourceFacts, describe_dataset
from tasks.report.inputs import read_findings
from tests.tasks.report.conftest import Reported

SOURCES = (
    FolderSource(kind="folder", path="a"),
    OrlSource(kind="orl"),
    FolderSource(kind="folder", path="b"),
)


def test_the_facts_are_those_of_the_reports(reported: Reported) -> None:
    counts = {"found": 10, "kept": 9, "identities": 3}
    found = {"folder": counts, "folder-2": {**counts, "found": 12}}  # no file of orl
    decisions = {"rows": {"keep": 0, "drop": 2}, "photos": {"keep": 0, "drop": 5}, "pairs_left_out": 0}
    reported.change_metrics("ingest", sources=found, decisions=decisions)
    reported.change_metrics("align", rejected={"no_face": 3})
    root = reported.subject.pairs.parents[2]
    dataset = describe_dataset(read_findings(reported.subject.reports), "faces", SOURCES, root)
    assert dataset.name == "faces-photos"
    terms = SOURCES[0].terms
    assert dataset.sources == [
        SourceFacts("folder", terms, 10, 9, 3),
        SourceFacts("folder-2", terms, 12, 9, 3),
    ]
    assert (dataset.found, dataset.kept, dataset.identities) == (43, 40, 10)
    assert dataset.rejected == {"ingest": {"too_small": 2, "corrupt": 1}, "align": {"no_face": 3}}
    assert dataset.decisions == {"drop": (2, 5)}
    assert dataset.files["data/raw/pairs.parquet"] == file_digest(Path(root / "data/raw/pairs.parquet"))
    assert "not audited" in " ".join(dataset.problems)
