import logging
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from tasks.forgetting.located import files_below, is_inside, locate_sources
from tasks.params.sources import Source
from tests.tasks.ingest.archives import write_tree, zip_bytes


def _source(**fields: object) -> Source:
    source: Source = TypeAdapter(Source).validate_python(fields)
    return source


def test_sources_in_the_workspace_and_elsewhere_are_told_apart(
    small: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = write_tree(tmp_path / "elsewhere", {"Zed/1.jpg": b"x"})
    pairs = small / "pairs.txt"
    pairs.write_text("1\nBob\t1\t2\nBob\t1\tCy\t1\n")
    sources = [
        _source(kind="folder", path="photos", pairs="pairs.txt"),
        _source(kind="folder", path=str(elsewhere)),
        _source(kind="orl"),
        _source(kind="folder", path="gone"),
    ]
    with caplog.at_level(logging.WARNING):
        found = locate_sources(sources, small)
    assert [(place.path.name, place.inside) for place in found] == [
        ("photos", True),
        ("pairs.txt", True),
        ("elsewhere", False),
        ("ORL_faces", False),  # in a package, wherever that is
    ]
    assert "gone was not found" in caplog.text


def test_an_archive_is_found_with_any_digest(small: Path) -> None:
    """After an interruption params.yaml may have the digest of the archive that is not written yet."""
    (small / "data" / "downloads").mkdir()
    archive = small / "data" / "downloads" / "a.zip"
    archive.write_bytes(zip_bytes({"Zed/1.jpg": b"x"}))
    (found,) = locate_sources([_source(kind="folder", path="a.zip", sha256="0" * 64)], small)
    assert found.path == archive


def test_folders_behind_links_are_not_entered(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "root", {"b/1": b"", "a/2": b"", "c": b""})
    (root / "b" / "link").symlink_to(tmp_path)
    assert [path.relative_to(root).as_posix() for path in files_below(root)] == ["a/2", "b/1", "b/link", "c"]
    assert is_inside(root / "c", tmp_path)
    assert not is_inside(root / "b" / "link" / "x", root)
