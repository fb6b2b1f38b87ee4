"""The `facenet` command reports an error as one message and an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_results_without_a_run_exits_with_1(tmp_path: Path, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tasks.commands.main", "results"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "reports/ingest.json" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["tasks.commands.main", "--help"],
        ["tasks.commands.main", "detect", "--help"],
        ["tasks.commands.main", "summary"],
        ["tasks.commands.recipes", "list"],
        ["tasks.shards", "--help"],
    ],
)
def test_a_closed_pipe_ends_every_command_quietly(root: Path, command: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 141)  # argparse ignores a failure to print the help


def test_help_imports_no_heavy_package() -> None:
    heavy = "m for m in ('torch', 'mlflow', 'pandas') if m in sys.modules"
    code = f"import sys, tasks.commands.main; print([{heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
