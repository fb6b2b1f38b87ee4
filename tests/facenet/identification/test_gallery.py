"""Enrolment, removal and storage of people."""

from pathlib import Path

import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.identification.gallery import Gallery


def gallery() -> Gallery:
    random, made = np.random.default_rng(0), Gallery()
    made.add("Zoë", random.normal(size=(2, 6)))
    made.add("Ann", random.normal(size=6))
    made.add("Zoë", random.normal(size=(1, 6)))
    return made


def test_embeddings_are_grouped_by_person_and_normalised() -> None:
    made = gallery()
    rows, labels = made.table()
    assert made.people == ["Zoë", "Ann"]
    assert labels.tolist() == [0, 0, 0, 1]
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)


def test_remove_deletes_all_of_a_person() -> None:
    made = gallery()
    made.remove("Zoë")
    assert (made.people, len(made), "Zoë" in made) == (["Ann"], 1, False)
    assert made.table()[0].shape == (1, 6)
    with pytest.raises(DataInvalid, match="no 'Zoë'"):
        made.remove("Zoë")


def test_file_round_trip_is_bit_exact(tmp_path: Path) -> None:
    made = gallery()
    made.save(tmp_path / "gallery.safetensors")
    again = Gallery.load(tmp_path / "gallery.safetensors")
    assert again.people == made.people
    assert np.array_equal(again.table()[0], made.table()[0])
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "gallery.safetensors").read_bytes()
    again.remove("Ann")
    assert len(made) == 2


def test_an_invalid_file_raises(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="not a valid gallery"):
        Gallery.load(tmp_path / "none")
    (tmp_path / "bad").write_bytes(b"\x80\x04pickle")
    with pytest.raises(DataInvalid, match="not a valid gallery"):
        Gallery.load(tmp_path / "bad")


@pytest.mark.parametrize(
    "rows", [np.ones((1, 5)), np.zeros((1, 6)), np.full((1, 6), np.nan), np.ones((0, 6))]
)
def test_invalid_embeddings_raise(rows: np.ndarray) -> None:
    made = gallery()
    with pytest.raises(DataInvalid, match="Bo"):
        made.add("Bo", rows)
    assert "Bo" not in made


def test_empty_gallery_raises(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="empty"):
        Gallery().save(tmp_path / "g")
