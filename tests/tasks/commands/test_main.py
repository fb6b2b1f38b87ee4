"""The `facenet` command reports an error as one message and an exit code."""

import subprocess
import sys
from pathlib import Path


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
