"""The command line of the training flow."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.command import parse


def test_without_arguments_it_runs_now() -> None:
    arguments = parse([])
    assert (arguments.command, arguments.force) == ("run", False)
    assert parse(["--force"]).force
    assert (parse([]).commit, parse(["--commit", "nightly"]).commit) == (None, "nightly")
    assert parse(["serve", "--cron", "* * * * *", "--commit", "nightly"]).commit == "nightly"
    assert parse(["--commit", "nightly", "serve", "--cron", "* * * * *"]).commit == "nightly"


def test_serve_requires_cron_and_has_defaults_for_the_rest() -> None:
    arguments = parse(["serve", "--cron", "0 2 * * *"])
    assert (arguments.command, arguments.cron, arguments.timezone) == ("serve", "0 2 * * *", "UTC")
    assert (arguments.name, arguments.force) == ("scheduled", False)
    named = parse(
        ["serve", "--cron", "* * * * *", "--timezone", "Europe/Paris", "--name", "nightly", "--force"]
    )
    assert (named.timezone, named.name, named.force) == ("Europe/Paris", "nightly", True)
    assert parse(["--force", "serve", "--cron", "* * * * *"]).force


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["serve"], "--cron"),
        (["serve", "--cron", "* * * * *", "--timezone", "Moon/Crater"], "'Moon/Crater'"),
        (["sreve"], "sreve"),
    ],
)
def test_invalid_arguments_are_refused(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        parse(words)
    assert error.value.code == 2
    assert complaint in capsys.readouterr().err


def test_help_does_not_wait_for_prefect(root: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "flows.training", "--help"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "serve" in done.stdout
    assert "prefect" not in done.stderr
