"""Installed packages are compared with the metadata of the package and with the lock."""

from pathlib import Path

import pytest

from commands.checks.finding import NOTE, OK
from commands.checks.installation import _problem, _some, check_code, check_packages, check_python, locked

LOCK = """\
# Written by `make lock`.
torch==2.13.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
greenlet==3.5 ; python_version >= '3.8' \\
    --hash=sha256:dd
"""


def test_a_lock_pins_what_its_markers_allow() -> None:
    assert locked(LOCK) == {"torch": "2.13.0", "greenlet": "3.5"}


def test_this_environment_meets_the_requirements() -> None:
    (python,) = check_python()
    packages, *extras = check_packages()
    assert (python.state, packages.state) == (OK, OK)
    assert {finding.state for finding in extras} <= {NOTE}


def test_a_package_out_of_range_is_named_and_a_local_version_is_in_range() -> None:
    import torch

    assert _problem("torch", f"=={torch.__version__.partition('+')[0]}") is None
    assert _problem("torch", "<1") == f"torch is {torch.__version__}, not <1"
    assert _problem("no-such-package", "") == "no-such-package is not installed"


def test_a_long_list_is_cut() -> None:
    assert _some(["a", "b"]) == "a; b"
    assert _some(list("abcdef")) == "a; b; c; d; and 2 more"


def test_the_code_of_another_checkout_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "commands" / "checks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (finding,) = check_code()
    assert finding.state == NOTE
    monkeypatch.chdir(Path(__file__).parents[3])
    assert list(check_code()) == []
