"""The command line of the servers."""

from pathlib import Path

import pytest

from operations import __main__ as command
from operations.folder import VARIABLE
from operations.settings import PORTS, option_of


def test_every_port_is_an_option_and_nothing_is_given_by_default() -> None:
    given = vars(command.parse(["up"]))
    assert {name for name, value in given.items() if value is not None} == {"command", "wait"}
    for number, port in enumerate(PORTS, start=2000):
        assert getattr(command.parse(["up", option_of(port), str(number)]), port) == number
    assert command.parse(["up", "--no-auth", "--serve"]).auth is False


def test_a_folder_without_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    command.main(["switch"])  # as after a promotion on a laptop
    command.main(["down"])
    printed = capsys.readouterr()
    assert "nothing to switch" in printed.err
    assert "has no servers" in printed.out
    with pytest.raises(SystemExit) as exited:
        command.main(["status"])
    assert exited.value.code == 1
    assert "run `make up`" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
