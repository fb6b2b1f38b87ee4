"""An expected error is one message and exit code 1; any other keeps its traceback."""

import pytest

from facenet.errors import SourceInvalid
from tasks.entry import stage_main


def test_error_of_ours_is_one_message_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise SourceInvalid("no archive lfw.tgz; set FACENET_MIRRORS")

    with pytest.raises(SystemExit) as stop:
        stage_main(fail)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "SourceInvalid: no archive lfw.tgz; set FACENET_MIRRORS\n"


def test_other_errors_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        stage_main(lambda: print(1 / 0))
