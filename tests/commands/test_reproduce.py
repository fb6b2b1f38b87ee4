"""A result is exit code 0 or 1, everything else 2; faults/scenarios/reproduce_champion.py trains for real."""

import json
from pathlib import Path

import pytest

from flows import reproduce
from flows.reproduce import NotReproduced
from tests.commands.running import facenet, facenet_process


def test_the_command_names_what_is_not_a_model_in_one_message(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "reproduce", "facenet")
    assert done.returncode == 2
    assert done.stderr.startswith("SourceInvalid: 'facenet' is not a model")
    assert "Traceback" not in done.stderr


def test_other_weights_are_the_answer_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comparison itself is tested in tests/flows/test_reproduce.py."""

    def differs(uri: str, log: object) -> str:
        raise NotReproduced(f"{uri} has other weights.")

    monkeypatch.setattr(reproduce, "reproduce", differs)
    assert facenet("reproduce", "models:/facenet/1") == 1
    assert capsys.readouterr() == ("", "models:/facenet/1 has other weights.\n")
    assert facenet("reproduce", "models:/facenet/1", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "model": "models:/facenet/1",
        "reproduced": False,
        "message": "models:/facenet/1 has other weights.",
    }
