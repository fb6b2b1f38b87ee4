"""Arguments become photos in order; each is embedded once, in groups."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from commands import photos
from commands.photos import as_photo, embedded, expanded, report_unusable
from facenet import Face, FaceModel, PhotoError


def test_photos_and_problems_come_in_order_whatever_the_group(
    people: Path, model: FaceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (people / "empty").mkdir()
    asked = expanded(["people/ann", "empty", "text.jpg", "people/bob/1.pgm"])
    whole = list(embedded(model, asked))
    kinds = [Face, Face, Face, PhotoError, PhotoError, Face]
    assert [type(face) for _, face in whole] == kinds
    assert "No photos in this folder" in str(whole[3][1])
    monkeypatch.setattr(photos, "GROUP", 2)
    parts = list(embedded(model, asked))
    assert [(photo.path, type(face)) for photo, face in parts] == [(p.path, type(f)) for p, f in whole]


def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"P5 1 1 255 x")))
    assert as_photo("-") == b"P5 1 1 255 x"
    assert as_photo("a.jpg") == Path("a.jpg")


def test_unusable_photos_are_named_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    report_unusable([("a\x1b.jpg", "corrupt: x\ny")], 3)
    report_unusable([], 3)
    assert capsys.readouterr().err == "a\\x1b.jpg: corrupt: x\\ny\n1 of 3 photos could not be used.\n"
