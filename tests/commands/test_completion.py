"""The scripts complete what the parser has; each is loaded into a real shell if there is one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from commands.main import COMMANDS
from tests.commands.running import facenet


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_script_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("completion", shell) == 0
    script = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in script] == []
    assert ("--min-face" in script) == (shell != "tcsh")  # shtab completes commands only in tcsh


def test_bash_completes_commands_options_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ann.jpg").touch()
    bash = shutil.which("bash")
    assert bash is not None
    assert facenet("completion", "bash") == 0
    script = capsys.readouterr().out
    for words, expected in (
        (["facenet", "det"], "detect"),
        (["facenet", "detect", "--min"], "--min-face"),
        (["facenet", "verify", "ann"], "ann.jpg"),
    ):
        position = len(words) - 1
        ask = (
            f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={position}\n_shtab_facenet\necho ${{COMPREPLY[@]}}\n"
        )
        done = subprocess.run(
            [bash], input=script + ask, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [expected]


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("completion", "cmd") == 2
    assert "choose from" in capsys.readouterr().err
