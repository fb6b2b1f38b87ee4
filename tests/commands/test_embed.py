"""The files have the templates of the model, and say what was left out."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from facenet import Face, FaceModel
from tests.commands.running import facenet


def test_both_formats_have_the_same_rows(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    (face,) = model.embed(["people/ann/1.pgm"])
    assert isinstance(face, Face)
    assert face.template is not None
    assert face.quality is not None
    assert facenet("embed", "people/ann/1.pgm", "people/bob", "--out", "x.parquet") == 0
    assert capsys.readouterr().out == "4 templates of 128 numbers, of 4 photos: x.parquet\n"
    table = pq.read_table("x.parquet")
    rows = table.to_pylist()
    assert [row["path"] for row in rows] == [
        "people/ann/1.pgm", *(f"people/bob/{number}.pgm" for number in (1, 2, 3)),
    ]  # fmt: skip
    np.testing.assert_allclose(rows[0]["template"], face.template, atol=1e-5)
    np.testing.assert_allclose(rows[0]["box"], face.box, atol=1e-2)
    assert rows[0]["sharpness"] == pytest.approx(face.quality.sharpness, rel=1e-3)
    metadata = table.schema.metadata
    assert metadata[b"digest"].decode() == model.digest

    assert facenet("embed", "people/ann/1.pgm", "people/bob", "--out", "x.npz") == 0
    with np.load("x.npz", allow_pickle=False) as archive:
        assert str(archive["digest"]) == model.digest
        assert archive["path"].tolist() == [row["path"] for row in rows]
        np.testing.assert_allclose(archive["template"], [row["template"] for row in rows], atol=1e-6)


def test_what_has_no_face_is_reported_and_left_out(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("wall.ppm", "people/ann", "text.jpg", "nowhere.jpg")
    assert facenet("embed", *words, "--out", "x.npz", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["photos"], answer["templates"], answer["size"]) == (6, 3, 128)
    assert [error["path"] for error in answer["errors"]] == ["wall.ppm", "text.jpg", "nowhere.jpg"]
    assert facenet("embed", "text.jpg", "--out", "none.parquet") == 1
    assert pq.read_table("none.parquet").num_rows == 0
    assert "1 of 1 photos could not be used." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("x.csv", "x.csv has the suffix '.csv'. Use one of .parquet, .npz."),
        ("no/x.npz", "there is no folder no. Create it: mkdir -p 'no'."),
    ],
)
def test_a_wrong_output_is_refused_before_the_model_is_loaded(
    people: Path, capsys: pytest.CaptureFixture[str], out: str, message: str
) -> None:
    assert facenet("embed", "people", "--out", out, "--model", "nowhere") == 2
    assert capsys.readouterr().err == f"ParamsInvalid: --out: {message}\n"
