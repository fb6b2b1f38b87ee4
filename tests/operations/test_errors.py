"""What is wrong with the servers is one line for the user."""

import pytest

from operations.errors import PortTaken
from tasks.entry import stage_main


def test_an_error_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise PortTaken("Port 4200 is used.")

    with pytest.raises(SystemExit) as exited:
        stage_main(fail)
    assert exited.value.code == 1
    assert capsys.readouterr().err == "PortTaken: Port 4200 is used.\n"
