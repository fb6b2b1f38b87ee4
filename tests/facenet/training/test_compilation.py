"""torch.compile without a C++ compiler that works: one message that names the parameter and the way on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facenet.training.compilation import compilation_explained

SCRIPT = """
from facenet.errors import CompilationFailed
from tests.facenet.training.test_update import FACES, LABELS, MOMENT, make_update
try:
    make_update(compiled=True)(FACES, LABELS, MOMENT)
except CompilationFailed as error:
    print(error)
"""


BROKEN = """#!/bin/sh
case "$1" in --version) echo "g++ 12.2.0" ;; *) echo "no space left" >&2; exit 1 ;; esac
"""


@pytest.mark.slow
@pytest.mark.parametrize("found", [False, True])
def test_without_a_working_compiler_the_parameter_is_named(tmp_path: Path, root: Path, found: bool) -> None:
    compiler = tmp_path / "g++"
    if found:
        compiler.write_text(BROKEN)
        compiler.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(root), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    environment |= {"CXX": str(compiler), "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("train.compile is true, but torch.compile cannot compile the network:\n")
    assert "Set train.compile to false, or install a C++ compiler" in done.stdout
    assert len(done.stdout.splitlines()) == 3
    assert "Traceback" not in done.stdout + done.stderr


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), compilation_explained():
        raise ZeroDivisionError
