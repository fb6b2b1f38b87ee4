"""An unpacked source archive: the tracked files in a folder without Git, set up by `make` itself."""

import os
import re
import shutil
import site
import subprocess
import sys
from pathlib import Path

# A python for `make PYTHON=...`: its `-m venv` gives a new environment the packages of these tests, so that
# pip finds requirements.lock satisfied and installs only the project. Programs are copied and start the new
# environment's python, in the way pip writes them for a path with spaces.
PYTHON = """\
#!{python}
import pathlib, subprocess, sys
done = subprocess.run([{python!r}, *sys.argv[1:]])
if sys.argv[1:3] == ["-m", "venv"] and not done.returncode:
    new = pathlib.Path(sys.argv[3]).absolute()
    (folder,) = (new / "lib").glob("python*/site-packages")
    (folder / "tests.pth").write_text({packages!r})
    for program in pathlib.Path({programs!r}).iterdir():
        target = new / "bin" / program.name
        if not target.exists() and program.name != "facenet" and program.is_file():
            first, _, rest = program.read_bytes().partition(b"\\n")
            if first.startswith(b"#!") and b"python" in first:
                begin = f"#!/bin/sh\\n'''exec' \\"{{new}}/bin/python\\" \\"$0\\" \\"$@\\"\\n' '''\\n"
                target.write_bytes(begin.encode() + rest)
                target.chmod(0o755)
sys.exit(done.returncode)
"""


def unpack(root: Path, folder: Path) -> None:
    """Copy the tracked files of the project to `folder`."""
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    for name in tracked.stdout.splitlines():
        if (root / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)


def write_python(folder: Path) -> Path:
    """Write the python described above to `folder`, and return it."""
    packages = folder / "packages"
    packages.mkdir(parents=True)
    for path in filter(Path.is_dir, map(Path, site.getsitepackages())):  # Debian names some that do not exist
        for package in path.iterdir():
            if not re.match(r"__editable__|facenet_pipeline|pip(-|$)", package.name):
                (packages / package.name).symlink_to(package)
    script = folder / "python"
    programs = Path(sys.prefix) / "bin"
    text = PYTHON.format(python=sys.executable, packages=str(packages), programs=str(programs))
    script.write_text(text)
    script.chmod(0o755)
    return script


def environment(python: Path, folder: Path) -> dict[str, str]:
    """Return what a user's shell has set, with `python` for make and nothing of this test run."""
    programs = str(Path(sys.prefix) / "bin")
    path = [p for p in os.environ["PATH"].split(os.pathsep) if p != programs]
    kept = ("HOME", "LANG", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "PIP_", "SSL_")
    return {
        **{name: value for name, value in os.environ.items() if name.startswith(kept)},
        "PATH": os.pathsep.join(path),
        "PYTHON": str(python),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
        "PREFECT_HOME": str(folder / "prefect"),
        **{
            f"GIT_{who}_{what}": "t@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
