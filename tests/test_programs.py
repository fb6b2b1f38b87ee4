"""A missing browser or server skips a test, or fails it where all are required; .ci/run installs them."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests import browser
from tests.infra.test_postgres import initdb
from tests.programs import REQUIRE, program

ABSENT = ("no-such-program", "nor-this-one")


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_program_is_found_on_the_path_or_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = executable(tmp_path / "no-such-program", "#!/bin/sh\n")
    assert program(ABSENT, package="x", folders=[tmp_path]) == here
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program(ABSENT, package="x") == here


def test_a_missing_program_skips_the_test_unless_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRE, raising=False)
    with pytest.raises(pytest.skip.Exception, match="install the package x"):
        program(ABSENT, package="x")
    monkeypatch.setenv(REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match="install the package x"):
        program(ABSENT, package="x")


def test_browser_and_postgresql_are_required_that_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(REQUIRE, "1")
    with (
        pytest.raises(pytest.fail.Exception, match="package chromium"),
        browser.chromium(tmp_path / "profile"),
    ):
        pass
    with pytest.raises(pytest.fail.Exception, match="package postgresql"):
        initdb(folders=())


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """.ci/run in an empty project; apt-get, id and make write what they were called with to `called`."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "bin").mkdir()
    executable(tmp_path / ".ci" / "run", (root / ".ci" / "run").read_text())
    for name in ("apt-get", "make"):
        log = f'#!/bin/sh\necho "{name} $* {REQUIRE}=${REQUIRE}" >> "{tmp_path}/called"\n'
        executable(tmp_path / "bin" / name, log)
    for name in ("bash", "dirname"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}" if name == "bash" else f"/usr/bin/{name}")
    return tmp_path


def called(checkout: Path, user: str, **environment: str) -> list[str]:
    executable(checkout / "bin" / "id", f"#!/bin/sh\necho {user}\n")
    environment |= {"PATH": str(checkout / "bin"), "FACENET_POSTGRESQL": str(checkout / "none")}
    subprocess.run([checkout / ".ci" / "run"], env={**environment, "HOME": os.environ["HOME"]}, check=True)
    return (checkout / "called").read_text().splitlines()


def test_ci_installs_what_is_missing_as_root_and_requires_it(checkout: Path) -> None:
    steps = called(checkout, "0")
    assert [step.split()[0] for step in steps] == ["apt-get", "apt-get", "make", "make"]
    assert re.search(r"install .*\bchromium npm postgresql\b", steps[1])
    assert [step for step in steps if step.startswith("make")] == [
        f"make {t} {REQUIRE}=1" for t in ("lint", "test")
    ]


def test_ci_installs_nothing_without_the_right_to(checkout: Path) -> None:
    assert [step.split()[0] for step in called(checkout, "1000")] == ["make", "make"]


def test_ci_tries_further_pythons_that_the_machine_has(checkout: Path) -> None:
    log = f'#!/bin/sh\necho "pytest $*" >> "{checkout}/called"\n'
    executable(checkout / "bin" / "python3.12", "#!/bin/sh\n")
    (checkout / ".venv-3.12" / "bin").mkdir(parents=True)
    executable(checkout / ".venv-3.12" / "bin" / "python", log)
    steps = called(checkout, "1000", FACENET_PYTHONS="3.12 3.13")
    assert steps[2].startswith(f"make PYTHON={checkout}/bin/python3.12 VENV=.venv-3.12 setup")
    assert steps[3:] == ["pytest -m pytest -m not slow"]
