"""What is printed can be parsed, and harms no terminal."""

import json

import pytest

from commands.output import complain, json_list, printable, progress, show_json
from facenet.errors import SourceInvalid


def test_a_json_list_is_closed_by_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        with json_list() as entry:
            entry({"path": "a.jpg"})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert json.loads(capsys.readouterr().out) == [{"path": "a.jpg"}]
    with json_list():
        pass
    assert json.loads(capsys.readouterr().out) == []


def test_json_is_strict() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        show_json({"distance": float("nan")})


def test_a_complaint_is_one_line_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    complain(SourceInvalid("no answer from http://ada:secret@localhost:5000"))
    complain("2 of 3 photos could not be read.")
    assert capsys.readouterr().err == (
        "SourceInvalid: no answer from http://***@localhost:5000\n2 of 3 photos could not be read.\n"
    )


def test_no_progress_bar_outside_of_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(3, name="embed") as bar:
        bar.update(3)
    assert bar.disable
    assert capsys.readouterr().err == ""


def test_a_name_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Jb\n\udcffë") == "a\\x1b[2Jb\\n\ufffdë"
