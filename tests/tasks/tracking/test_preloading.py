"""MLflow is imported by a thread."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from tasks.tracking.preloading import MODULES, preload
assert "mlflow" not in sys.modules
preload().join()
print(all(name in sys.modules for name in MODULES))
"""


def test_the_thread_imports_what_the_registry_needs(root: Path) -> None:
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
