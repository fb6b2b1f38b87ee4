from pathlib import Path

from tasks.ingest.sources import open_source, source_names
from tasks.params.ingest import IngestParams
from tests.tasks.ingest.archives import write_tree
from tests.tasks.ingest.settings import ingest_params


def _params(folder: Path) -> IngestParams:
    write_tree(folder, {"photos/Ann/1.jpg": b"x", "identity_CelebA.txt": b"1.jpg 7\n", "pairs.txt": PAIRS})
    return ingest_params(
        {"kind": "orl"},
        {"kind": "folder", "path": str(folder / "photos")},
        {"kind": "lfw", "archive": str(folder / "photos")},
        {"kind": "celeba", "images": str(folder / "photos")},
        {"kind": "folder", "path": str(folder / "photos")},
    )


PAIRS = b"1\nAnn\t1\t2\nAnn\t1\tBob\t1\n"


def test_every_kind_is_opened(tmp_path: Path) -> None:
    found = [
        len(list(open_source(source, tmp_path, allow_overlap=False).files(100_000)))
        for source in _params(tmp_path).sources
    ]
    assert found == [400, 1, 1, 1, 1]


def test_names_are_kinds_and_numbered_from_the_second(tmp_path: Path) -> None:
    assert source_names(_params(tmp_path).sources) == ["orl", "folder", "lfw", "celeba", "folder-2"]
