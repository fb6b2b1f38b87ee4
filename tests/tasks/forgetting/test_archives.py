import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from facenet.digests import file_digest
from tasks.forgetting.archives import SourceArchives
from tasks.forgetting.located import Located
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action
from tests.tasks.forgetting.small import ADA, gathered
from tests.tasks.ingest.archives import entry, tar_bytes, zip_bytes

KINDS = {
    "plain.tar": "w",
    "faces.tgz": "w:gz",
    "faces.tar.bz2": "w:bz2",
    "faces.tar.xz": "w:xz",
    "faces.zip": "",
}


def _content(path: Path) -> dict[str, bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as tar:
        return {m.name: file.read() for m in tar if (file := tar.extractfile(m))}


def _make(path: Path, root: Path) -> dict[str, bytes]:
    photos = {
        f"faces/{p.parent.name}/{p.name}": p.read_bytes() for p in sorted((root / "photos").glob("*/*"))
    }
    files = {"faces/README": b"about", **photos, "faces/ünï/1.jpg": b"x" * 700}
    if path.suffix == ".zip":
        path.write_bytes(zip_bytes(dict(files)))
    else:
        folders = [entry(f"faces/{ADA}", kind=tarfile.DIRTYPE), entry("faces/Bob", kind=tarfile.DIRTYPE)]
        path.write_bytes(tar_bytes(files, KINDS[path.name], extra=folders))
    return files


@pytest.mark.parametrize("name", KINDS)
def test_an_archive_is_written_again_without_the_person(name: str, small: Path) -> None:
    path = small / name
    files = _make(path, small)
    params = small / "params.yaml"
    params.write_text(f"# archive\nsha256: {file_digest(path)}\n")
    person = gathered(small)
    place = SourceArchives(small, [Located(path, inside=True), Located(params, inside=True)])
    (finding,) = place.find(person)
    assert (finding.action, finding.count) == (Action.REWRITE, 3)
    place.erase(person, [finding])
    assert _content(path) == {n: data for n, data in files.items() if ADA not in n}
    if path.suffix != ".zip":
        with tarfile.open(path) as tar:
            assert [m.name for m in tar if m.isdir()] == ["faces/Bob"]
    assert params.read_text() == f"# archive\nsha256: {file_digest(path)}\n"
    assert place.find(person) == []


def test_the_same_bytes_are_written_after_an_interruption(small: Path) -> None:
    written = []
    for _ in range(2):
        _make(small / "faces.tgz", small)
        place = SourceArchives(small, [Located(small / "faces.tgz", inside=True)])
        person = gathered(small)
        place.erase(person, place.find(person))
        written.append((small / "faces.tgz").read_bytes())
    assert written[0] == written[1]


def test_photos_that_were_never_ingested_are_found_by_their_folder(small: Path) -> None:
    (small / "new.zip").write_bytes(zip_bytes({"Zed/1.jpg": b"new", "Bob/1.jpg": b"bob"}))
    person = Person(identities={"Zed"})
    (finding,) = SourceArchives(small, [Located(small / "new.zip", inside=False)]).find(person)
    assert (finding.action, finding.count, len(person.photos)) == (Action.LEFT, 1, 1)


def test_a_damaged_archive_is_not_searched_to_its_end(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = small / "faces.tgz"
    _make(path, small)
    path.write_bytes(path.read_bytes()[:-2000])
    SourceArchives(small, [Located(path, inside=True)]).find(gathered(small))
    assert "is not searched to its end" in caplog.text
    assert io.BytesIO(path.read_bytes()).read(2) == b"\x1f\x8b"
