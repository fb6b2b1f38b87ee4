"""`make lock`: renew requirements.lock and requirements-cuda.lock from pyproject.toml, with sha256 digests.

Pins of the present lock stay unless pyproject.toml excludes them; UPGRADE="NAME ..." renews single packages.
PyTorch of PyPI for Linux needs CUDA's libraries, gigabytes that its CPU wheels do not need: they have a
separate lock. No address of a package index enters either file.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

LOCK, CUDA_LOCK = Path("requirements.lock"), Path("requirements-cuda.lock")
CUDA = re.compile(r"(nvidia|cuda|triton)\b")
PYTHON = "3.11.0"  # the earliest; packages of later ones and of other platforms have a marker
HEADS = {
    LOCK: """\
# Resolved for Python 3.11 and later, tried as a whole on 3.11; pyproject.toml has the ranges and reasons.
# Written by `make lock`. pip refuses a file with another sha256.
""",
    CUDA_LOCK: """\
# What PyTorch of PyPI needs on Linux for CUDA; its CPU wheels do not. Written by `make lock`.
""",
}
Entry = tuple[str, list[str]]


def main(upgrade: Sequence[str]) -> None:
    """Compile the locks; `upgrade` names packages whose pins may change."""
    before = dict(read(LOCK.read_text()))
    entries = read(compiled(upgrade))
    name, torch = next(entry for entry in entries if entry[0].startswith("torch=="))
    # The wheels of PyTorch's CPU index have the same version and other bytes.
    torch[:] = sorted({*torch, *before.get(name, []), digest_here(name)})
    for path, wanted in ((LOCK, False), (CUDA_LOCK, True)):
        chosen = [entry for entry in entries if bool(CUDA.match(entry[0])) is wanted]
        path.write_text(HEADS[path] + "".join(write(entry) for entry in chosen))


def compiled(upgrade: Sequence[str]) -> str:
    """Return what uv resolves, with all extras and hashes; present pins are its preference."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pins.txt"
        output.write_text("".join(path.read_text() for path in (LOCK, CUDA_LOCK) if path.exists()))
        command = ["uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"]
        command += ["--all-extras", "--universal", "--python-version", PYTHON, "--output-file", str(output)]
        command += [word for name in upgrade for word in ("--upgrade-package", name)]
        subprocess.run([*command, "pyproject.toml"], check=True)
        return output.read_text()


def read(text: str) -> list[Entry]:
    """Return the requirements of a compiled file, each with its hashes."""
    entries: list[Entry] = []
    for line in text.splitlines():
        words = line.strip().removesuffix("\\").strip()
        if words.startswith("--hash="):
            entries[-1][1].append(words)
        elif words and not words.startswith("#"):
            entries.append((words, []))
    return entries


def write(entry: Entry) -> str:
    """Return the lines of a requirement."""
    name, hashes = entry
    return " \\\n    ".join([name, *hashes]) + "\n"


def digest_here(requirement: str) -> str:
    """Return the hash of the wheel that pip takes on this machine, such as one of PyTorch's CPU index."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*command, requirement.partition(";")[0].strip()], check=True)
        (wheel,) = Path(folder).iterdir()
        with wheel.open("rb") as file:
            return f"--hash=sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1:])
