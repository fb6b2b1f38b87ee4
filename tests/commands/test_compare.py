"""The matrix has the answer of verify for each pair."""

import json
from pathlib import Path

import numpy as np
import pytest

from commands import compare
from facenet import FaceModel
from tests.commands.running import facenet

PHOTOS = ["people/ann/1.pgm", "people/ann/2.pgm", "people/bob/1.pgm"]


def test_each_entry_is_the_answer_for_its_pair(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("compare", *PHOTOS, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["photos"], answer["errors"], answer["supported"]) == (PHOTOS, [], True)
    for i, left in enumerate(PHOTOS):
        for j, right in enumerate(PHOTOS):
            expected = model.verify(left, right)
            assert answer["distances"][i][j] == pytest.approx(expected.distance, abs=1e-5)
            assert answer["probabilities"][i][j] == pytest.approx(expected.probability, abs=1e-4)
            assert answer["matches"][i][j] == expected.match


def test_the_matrix_marks_matches_and_names_what_is_no_photo(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("compare", *PHOTOS, "text.jpg") == 1
    out, err = capsys.readouterr()
    head, *rows, legend = out.splitlines()
    assert head.split() == ["1", "2", "3"]
    assert [row.split()[:2] for row in rows] == [[str(i + 1), path] for i, path in enumerate(PHOTOS)]
    cells = [row.split()[2:] for row in rows]
    assert [[cell.endswith("*") for cell in row] for row in cells] == [
        [False, True, False], [True, False, False], [False, False, False],
    ]  # fmt: skip
    assert legend == "*  same person"
    assert err.splitlines()[1].startswith("text.jpg: unsupported: ")
    assert err.endswith("1 of 4 photos could not be used.\n")


def test_many_photos_are_listed_as_pairs(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "COLUMNS", 2)
    assert facenet("compare", "people") == 0
    *pairs, total = capsys.readouterr().out.splitlines()
    assert total == f"{len(pairs)} of 66 pairs match"
    folders = [{Path(path).parent.name for path in line.split()[1:]} for line in pairs]
    assert folders.count({"ann"}) >= 1
    assert all(len(names) == 1 for names in folders)


@pytest.mark.parametrize("count", [1, 3000])
def test_too_few_or_too_many_photos_are_refused_before_the_model_is_loaded(
    people: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    assert facenet("compare", *["people/ann/1.pgm"] * count, "--model", "nowhere") == 2
    assert capsys.readouterr().err.startswith(f"ParamsInvalid: {count} photos were named. Name 2 to 2000")


def test_photos_without_a_face_are_an_empty_matrix(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("compare", "text.jpg", "wall.ppm", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["photos"], answer["distances"], len(answer["errors"])) == ([], [], 2)
    assert compare.text([], np.zeros((0, 0)), np.zeros((0, 0))) == "    \n*  same person\n"
