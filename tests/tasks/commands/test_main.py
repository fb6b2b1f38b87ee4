"""The command line prints what is wrong as one message and tells it by its exit code."""

import subprocess
import sys
from pathlib import Path

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


def test_results_without_a_run_exits_with_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tasks.commands.main", "results"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "reports/ingest.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_imports_no_heavy_package() -> None:
    heavy = "m for m in ('torch', 'mlflow', 'pandas') if m in sys.modules"
    code = f"import sys, tasks.commands.main; print([{heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
