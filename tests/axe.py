"""axe-core, which finds obstacles for people who use a page without sight or mouse; from npm, for tests."""

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Tab
from tests.programs import program

PACKAGE, VERSION = "axe-core", "4.14.1"
FOLDER = Path(__file__).parent.parent / "build" / "axe"


def violations(tab: Tab) -> list[str]:
    """Return what axe-core finds wrong with the page, as rule and element."""
    tab.ask("Runtime.evaluate", expression=axe_source())
    # By the protocol, which the page's content security policy does not restrict.
    found = tab.ask("Runtime.evaluate", expression="axe.run()", awaitPromise=True, returnByValue=True)
    results: dict[str, Any] = found["result"]["value"]
    return [
        f"{entry['id']}: {node['html'][:120]} {json.dumps(node['any'][:1])[:300]}"
        for entry in results["violations"]
        for node in entry["nodes"]
    ]


def axe_source() -> str:
    """Return the script, downloaded once into build/.

    Without npm the test is skipped or fails, as `program` says; without the registry of npm it is skipped.
    """
    path = FOLDER / f"axe-{VERSION}.min.js"
    if not path.exists():
        npm = program(("npm",), package="npm")
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [str(npm), "pack", "--silent", "--fetch-timeout=30000", "--fetch-retries=1"]
        command.append(f"{PACKAGE}@{VERSION}")
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm cannot fetch {PACKAGE} {VERSION}: {done.stderr.strip()[-200:]}")
        with tarfile.open(fileobj=io.BytesIO((FOLDER / done.stdout.strip()).read_bytes())) as archive:
            script = archive.extractfile("package/axe.min.js")
            assert script is not None
            path.write_bytes(script.read())
    return path.read_text()
