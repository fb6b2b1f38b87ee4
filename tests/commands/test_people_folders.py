"""A folder per person: who is found, and whether batches across people change anything."""

from pathlib import Path

import pytest

from commands import people_folders
from commands.people_folders import people_of, read_people
from facenet import Face, FaceModel, PhotoError
from facenet.errors import ParamsInvalid


def test_each_folder_is_a_person(people: Path, model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    (people / "people" / "empty").mkdir()
    (people / "people" / ".hidden").mkdir()
    asked = people_of(Path("people"), option="--from")
    assert [(name, len(photos)) for name, photos in asked] == [
        *(("ann", 3), ("bob", 3), ("cem", 3), ("dana", 3), ("empty", 1)),
    ]
    counted: list[int] = []

    class Bar:
        def update(self, count: int) -> None:
            counted.append(count)

    whole = list(read_people(model, asked, Bar()))
    assert counted == [13]
    assert [type(face) for _, _, face in whole[0][1]] == [Face] * 3
    ((_, content, problem),) = whole[-1][1]
    assert isinstance(problem, PhotoError)
    assert (content, problem.reason) == (b"", "unreadable")
    monkeypatch.setattr(people_folders, "GROUP", 4)
    parts = list(read_people(model, asked, Bar()))
    assert [(n, [(p, c) for p, c, _ in r]) for n, r in parts] == [
        (n, [(p, c) for p, c, _ in r]) for n, r in whole
    ]


def test_a_folder_without_folders_is_an_error(people: Path) -> None:
    with pytest.raises(ParamsInvalid, match=r"--from: people/ann has no folders"):
        people_of(Path("people/ann"), option="--from")
    with pytest.raises(ParamsInvalid, match=r"DIR: nowhere cannot be listed: No such file"):
        people_of(Path("nowhere"), option="DIR")
