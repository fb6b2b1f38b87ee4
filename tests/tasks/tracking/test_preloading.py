"""MLflow is imported by one thread at a time."""

import subprocess
import sys
from pathlib import Path

PRELOADED = """
import sys
from tasks.tracking.preloading import MODULES, preload
assert "mlflow" not in sys.modules
preload().join()
print(all(name in sys.modules for name in MODULES))
"""
# Each thread begins with another module of MLflow, as the sender and the system metrics of a training do.
TOGETHER = """
import threading
from importlib import import_module
from tasks.tracking.preloading import MODULES, import_mlflow

failures = []

def work(name):
    try:
        import_mlflow()
        import_module(name)
    except BaseException as error:
        failures.append(error)

threads = [threading.Thread(target=work, args=(name,)) for name in reversed(MODULES)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failures)
"""


def run(code: str, root: Path) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


def test_the_thread_imports_what_the_registry_needs(root: Path) -> None:
    assert run(PRELOADED, root) == "True\n"


def test_threads_that_begin_with_different_modules_do_not_block_each_other(root: Path) -> None:
    assert run(TOGETHER, root) == "[]\n"
