import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facenet.errors import DataInvalid, DownloadFailed, SourceInvalid
from faults.project import new_project
from tasks.ingest.fingerprint import fingerprint
from tasks.labels.decision import Decision
from tasks.labels.decisions import write_decisions
from tasks.labels.forgotten import ERASED, REFUSED, Entry, Forgotten, append, now
from tests.tasks.downloads.conftest import Site, site
from tests.tasks.ingest.archives import write_tree, zip_bytes
from tests.tasks.ingest.settings import ingest_params

__all__ = ["site"]


def _take(folder: Path, *sources: dict[str, Any]) -> list[dict[str, Any]]:
    target = folder / "data" / "fingerprint.json"
    fingerprint(ingest_params(*sources), target, downloads=folder / "data" / "downloads")
    entries: list[dict[str, Any]] = json.loads(target.read_text())["sources"]
    return entries


def _folder(folder: Path) -> dict[str, Any]:
    return {"kind": "folder", "path": str(folder / "photos")}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos with a person behind a link and a link to a file."""
    elsewhere = write_tree(tmp_path / "elsewhere", {"Bob/1.jpg": b"bob", "shared.jpg": b"shared"})
    root = write_tree(tmp_path / "photos", {"Ann/1.jpg": b"1", "Ann/2.jpg": b"2", "loose.jpg": b"l"})
    for file in [*root.rglob("*.jpg"), *elsewhere.rglob("*.jpg")]:
        os.utime(file, (10**9, 10**9))  # old enough for its digest to be remembered
    (root / "Bob").symlink_to(elsewhere / "Bob")
    (root / "Ann" / "3.jpg").symlink_to(elsewhere / "shared.jpg")
    return root


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new photo": lambda root: (root / "Ann" / "9.jpg").write_bytes(b"9"),
    "other bytes": lambda root: (root / "Ann" / "1.jpg").write_bytes(b"x"),
    "a photo less": lambda root: (root / "Ann" / "1.jpg").unlink(),
    "another name": lambda root: (root / "Ann" / "1.jpg").rename(root / "Ann" / "4.jpg"),
    "behind a person's link": lambda root: (root / "Bob" / "2.jpg").write_bytes(b"b"),
    "behind a photo's link": lambda root: (root.parent / "elsewhere" / "shared.jpg").write_bytes(b"new"),
    "a broken link": lambda root: (root / "Ann" / "5.jpg").symlink_to("gone"),
    "a pipe": lambda root: os.mkfifo(root / "Ann" / "6.jpg"),
    "a name that is not UTF-8": lambda root: (root / "Ann" / "\udce9.jpg").write_bytes(b"e"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_ingest_would_see_changes_the_fingerprint(
    name: str, photos: Path, tmp_path: Path
) -> None:
    before = _take(tmp_path, _folder(tmp_path))
    assert before == _take(tmp_path, _folder(tmp_path))
    CHANGES[name](photos)
    after = _take(tmp_path, _folder(tmp_path))
    assert before != after
    assert after == _take(tmp_path, _folder(tmp_path))


QUIET: dict[str, Callable[[Path], object]] = {
    "the lock of an editor": lambda root: (root / "Ann" / ".#1.jpg").symlink_to("user@host.1:2"),
    "a folder of the system": lambda root: write_tree(root, {"@eaDir/1.jpg": b"x", "lost+found/2": b"y"}),
    "a time stamp": lambda root: os.utime(root / "Ann" / "1.jpg", (1, 1)),
    "a damaged cache": lambda root: (root.parent / "data/cache/ingest/digests.arrow").write_bytes(b""),
    "another place": lambda root: root.rename(root.parent / "data" / "downloads" / "photos"),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_ingest_would_not_see_changes_nothing(
    name: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "downloads").mkdir(parents=True)
    source = {"kind": "folder", "path": "photos"}
    before = _take(tmp_path, source)
    QUIET[name](photos)
    assert before == _take(tmp_path, source)


def test_lists_and_archives_count_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zip_bytes({"Ann/1.jpg": b"x"}))
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t1\n")
    source = {"kind": "folder", "path": str(tmp_path / "photos.zip"), "pairs": str(tmp_path / "pairs.txt")}
    digests = [_take(tmp_path, source)[0]["sha256"]]
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t3\nAnn\t1\tBob\t1\n")
    digests.append(_take(tmp_path, source)[0]["sha256"])
    (tmp_path / "photos.zip").write_bytes(zip_bytes({"Ann/1.jpg": b"y"}))
    digests.append(_take(tmp_path, source)[0]["sha256"])
    assert len(set(digests)) == 3


def test_a_changed_list_of_attributes_changes_the_fingerprint(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "identity_CelebA.txt").write_text("1.jpg 7\n2.jpg 7\n")
    listed = tmp_path / "list_attr_celeba.txt"
    source = {"kind": "celeba", "images": str(photos), "identities": str(tmp_path / "identity_CelebA.txt")}
    without = _take(tmp_path, source)
    listed.write_text("1\nYoung\n1.jpg 1\n")
    before = _take(tmp_path, {**source, "attributes": str(listed)})
    assert before[0]["sha256"] != without[0]["sha256"]
    assert before == _take(tmp_path, {**source, "attributes": str(listed)})
    listed.write_text("1\nYoung\n1.jpg -1\n")
    assert before[0]["sha256"] != _take(tmp_path, {**source, "attributes": str(listed)})[0]["sha256"]


def test_an_archive_that_ingest_cannot_read_is_an_error_before_ingest_runs(tmp_path: Path) -> None:
    (tmp_path / "photos.rar").write_bytes(b"Rar!\x1a\x07\x01\0" + bytes(100))
    with pytest.raises(SourceInvalid, match="is a RAR archive, not a directory"):
        _take(tmp_path, {"kind": "folder", "path": str(tmp_path / "photos.rar")})
    assert not (tmp_path / "data" / "fingerprint.json").exists()


def test_a_source_that_is_gone_counts_as_unchanged_and_a_new_one_is_an_error(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = _take(tmp_path, {"kind": "orl"}, _folder(tmp_path))
    shutil.rmtree(photos)
    with caplog.at_level(logging.WARNING):
        assert _take(tmp_path, {"kind": "orl"}, _folder(tmp_path)) == before
    assert "Source folder is not on this machine" in caplog.text
    with pytest.raises(DownloadFailed, match="was not found"):
        _take(tmp_path, {**_folder(tmp_path), "role": "train"})


def test_what_is_forgotten_changes_the_fingerprint_once(photos: Path, tmp_path: Path) -> None:
    params, target, receipt = ingest_params(_folder(photos.parent)), tmp_path / "f.json", tmp_path / "r.csv"

    def take() -> str:
        fingerprint(params, target, receipt=receipt)
        return target.read_text()

    before = take()
    person = Forgotten().pseudonym("Ann")
    append(receipt, [Entry("0" * 64, person, REFUSED, now())])
    after = take()
    assert after != before
    append(receipt, [Entry("", person, ERASED, now(), "", "data")])
    assert take() == after


def test_decisions_in_another_file_than_dvc_knows_change_the_fingerprint(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keep = Decision("a" * 64, "Ann", "keep", when=now())
    write_decisions(Path("labels/decisions.csv"), [])
    write_decisions(Path("mine.csv"), [])

    def take(name: str | None) -> str:
        fingerprint(ingest_params(_folder(photos.parent), decisions=name), tmp_path / "f.json")
        return (tmp_path / "f.json").read_text()

    none, known, mine = take(None), take("labels/decisions.csv"), take("mine.csv")
    write_decisions(Path("labels/decisions.csv"), [keep])
    write_decisions(Path("mine.csv"), [keep])
    assert take(None) == take("labels/decisions.csv") == none == known
    assert take("mine.csv") != mine
    Path("labels/decisions.csv").write_text("digest;identity")
    with pytest.raises(DataInvalid, match=r"labels/decisions\.csv, line 1"):
        take("labels/decisions.csv")


def test_an_archive_is_downloaded_once(tmp_path: Path, site: Site) -> None:
    site.files["/photos.zip"] = zip_bytes({"Ann/1.jpg": b"x"})
    source = {"kind": "folder", "path": "photos.zip", "urls": [f"{site.url}/photos.zip"]}
    assert _take(tmp_path, source) == _take(tmp_path, source)
    assert len(site.requests) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sources": 3}', '{"sources": [{}]}'])
def test_a_damaged_fingerprint_is_written_again(text: str, photos: Path, tmp_path: Path) -> None:
    before = _take(tmp_path, _folder(tmp_path))
    (tmp_path / "data" / "fingerprint.json").write_text(text)
    assert _take(tmp_path, _folder(tmp_path)) == before


@pytest.mark.slow
def test_dvc_runs_ingest_if_and_only_if_it_would_read_something_new(root: Path, tmp_path: Path) -> None:
    project = new_project(tmp_path / "project", {})
    elsewhere = write_tree(tmp_path / "elsewhere", {"Zed/1.pgm": b"not a photo"})
    _copy_orl(tmp_path / "elsewhere")
    project.change({"ingest": {"sources": [{"kind": "folder", "path": "photos"}], "held_out_identities": 4}})
    for person in sorted(elsewhere.iterdir()):
        (project.folder / "photos" / person.name).symlink_to(person)
    odd = project.folder / "photos" / "s1x"
    odd.mkdir()
    os.mkfifo(odd / "pipe.jpg")
    (odd / "broken.jpg").symlink_to("gone")
    (odd / ".#1.jpg").symlink_to("user@host.1:2")
    (odd / "\udce9.jpg").write_bytes(b"x")
    assert project.repro("dvc", "repro", "ingest") == ["ingest"]
    assert project.repro("dvc", "repro", "ingest") == []
    (odd / ".#2.jpg").symlink_to("user@host.1:2")
    assert project.repro("dvc", "repro", "ingest") == []
    (elsewhere / "Zed" / "2.pgm").write_bytes(b"behind a link")
    assert project.repro("dvc", "repro", "ingest") == ["ingest"]
    shutil.rmtree(project.folder / "photos")
    assert project.repro("dvc", "repro", "ingest") == []


def _copy_orl(folder: Path) -> None:
    from tests.portraits import orl

    for person in range(1, 11):
        (folder / f"s{person}").mkdir()
        for number in range(1, 4):
            orl(person, number).save(folder / f"s{person}" / f"{number}.png")
