"""What facenet.export writes is tested in tests/facenet/export; here, that the command reaches it."""

import json
from pathlib import Path

import pytest

from facenet import export as exporting
from tests.commands.running import facenet


def test_the_files_of_the_chosen_model_are_printed(
    people: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def export(source: Path, out: Path) -> list[Path]:
        asked.append((source, out))
        return [out / "embedder.onnx"]

    monkeypatch.setattr(exporting, "export", export)
    assert facenet("export", "--onnx", "onnx", "--model", tiny_model) == 0
    assert capsys.readouterr() == ("onnx/embedder.onnx\n", f"model: {tiny_model}\n")
    assert facenet("export", "--onnx", "onnx", "--model", tiny_model, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"model": str(tiny_model), "files": ["onnx/embedder.onnx"]}
    assert asked == [(tiny_model, Path("onnx"))] * 2


def test_the_folder_of_the_model_itself_is_refused(
    tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("export", "--onnx", tiny_model, "--model", tiny_model) == 2
    assert "is the folder of the model itself" in capsys.readouterr().err
