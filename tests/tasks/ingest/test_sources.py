from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

from tasks.ingest.sources import Opening, open_source, source_names
from tasks.params.ingest import IngestParams
from tasks.params.sources import Source, SourceSection
from tests.tasks.ingest.archives import write_tree
from tests.tasks.ingest.settings import ingest_params

KINDS: tuple[Any, ...] = get_args(get_args(Source)[0])


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


def test_a_source_is_opened_by_the_module_of_its_kind(tmp_path: Path) -> None:
    found = [
        len(list(open_source(source, Opening(tmp_path)).files(100_000)))
        for source in _params(tmp_path).sources
    ]
    assert found == [400, 1, 1, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_the_parameters_has_its_module_and_test(kind: Any, root: Path) -> None:
    assert issubclass(kind, SourceSection)
    (name,) = get_args(kind.model_fields["kind"].annotation)
    assert callable(import_module(f"tasks.ingest.sources.{name}").open_source)
    assert (root / "tests" / "tasks" / "ingest" / "sources" / f"test_{name}.py").exists()


def test_names_are_kinds_and_numbered_from_the_second(tmp_path: Path) -> None:
    assert source_names(_params(tmp_path).sources) == ["orl", "folder", "lfw", "celeba", "folder-2"]
