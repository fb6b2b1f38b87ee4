"""Install the PyTorch of requirements.lock that pip chooses, after checking its sha256. `make setup` runs it.

Where an index or a folder offers a wheel for the CPU alone, such as 2.13.0+cpu, pip prefers it by its
version. With --require-hashes it would prefer the wheel whose digest an index states: that of PyPI with CUDA.
"""

import hashlib
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lock import LOCK, read

PIP = [sys.executable, "-m", "pip"]


def main() -> None:
    """Download the wheel, compare its digest with the lock, and install it."""
    name, hashes = next(entry for entry in read(LOCK.read_text()) if entry[0].startswith("torch=="))
    if installed() == name.partition("==")[2].partition(";")[0].strip():
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*PIP, "download", "--quiet", "--no-deps", "--dest", folder, name], check=True)
        (wheel,) = Path(folder).iterdir()
        with wheel.open("rb") as file:
            digest = f"--hash=sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if digest not in hashes:
            sys.exit(
                f"{wheel.name} has a digest that {LOCK} does not name: {digest}. If you trust where it is "
                "from, run `make lock`, which adds it."
            )
        offline = ("--no-deps", "--no-index", "--find-links", folder)
        subprocess.run([*PIP, "install", "--quiet", "--no-compile", *offline, name], check=True)


def installed() -> str:
    """Return the installed version without a local label such as +cpu, "" without PyTorch."""
    try:
        return version("torch").partition("+")[0]
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
