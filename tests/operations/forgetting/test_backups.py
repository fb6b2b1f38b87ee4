import os
from pathlib import Path

import pytest

from facenet.digests import file_digest
from operations.errors import ServicesFailed
from operations.forgetting.backups import Backups
from operations.manifest import Manifest
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action


def _backup(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    digests = {name: file_digest(folder / name) for name in files}
    made = "2026-11-30T00:00:00+00:00"
    Manifest(workspace="/w", services="/w/s", commit="", made=made, versions={}, files=digests).write(folder)
    return folder


def test_backups_with_the_person_are_named_and_left_as_they_are(tmp_path: Path) -> None:
    photo = os.urandom(5000)
    person = Person(identities={"Ada Lovelace"})
    person.add_photo(photo)
    monday = _backup(tmp_path / "all" / "monday", {"workspace/a": b"x" + photo, "workspace/b": b"other"})
    _backup(tmp_path / "all" / "tuesday", {"workspace/b": b"other"})
    place = Backups([tmp_path / "all"])
    (finding,) = place.find(person)
    assert (finding.what, finding.action, finding.count) == (str(monday), Action.LEFT, 1)
    assert "2026-11-30" in finding.note
    place.erase(person, [finding])
    assert place.find(person) == Backups([monday]).find(person) == [finding]


def test_a_folder_without_a_backup_is_an_error(tmp_path: Path) -> None:
    assert Backups([]).find(Person()) == []
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(ServicesFailed, match="is not a complete backup"):
            Backups([folder]).find(Person())
