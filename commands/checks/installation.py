"""Python, the packages that facenet-pipeline requires, and those that requirements.lock pins."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from commands.checks.finding import Finding, note, ok, wrong

PROJECT = "facenet-pipeline"
LOCK = Path("requirements.lock")
SHOWN = 4  # packages in a message


def check_python() -> Iterator[Finding]:
    """Compare Python with what the package requires."""
    from packaging.specifiers import SpecifierSet

    present = ".".join(map(str, sys.version_info[:3]))
    required = distribution(PROJECT).metadata["Requires-Python"]
    if present in SpecifierSet(required, prereleases=True):
        yield ok("python", f"{present} at {sys.executable}")
    else:
        fix = "rm -rf .venv && make PYTHON=python3.11 setup"
        yield wrong("python", f"{sys.executable} is Python {present}; {PROJECT} requires {required}", fix)


def check_packages() -> Iterator[Finding]:
    """Compare the installed packages with the requirements of facenet-pipeline, for extras that are used."""
    from packaging.requirements import Requirement

    required = [Requirement(line) for line in distribution(PROJECT).requires or ()]
    base = [entry for entry in required if not entry.marker or entry.marker.evaluate({"extra": ""})]
    unmet = [problem for entry in base if (problem := _problem(entry.name, str(entry.specifier)))]
    if unmet:
        fix = "make setup" if LOCK.exists() else f"pip install --upgrade {PROJECT}"
        yield wrong("packages", f"{PROJECT} {version(PROJECT)}: {_some(unmet)}", fix)
    else:
        yield ok("packages", f"{PROJECT} {version(PROJECT)} and the {len(base)} packages that it requires")
    yield from _extras(required)


def _extras(required: list) -> Iterator[Finding]:  # type: ignore[type-arg]  # of a package imported late
    """Yield a note for each extra that is not, or only partly, installed; most commands do without."""
    for extra in distribution(PROJECT).metadata.get_all("Provides-Extra") or ():
        own = [entry for entry in required if entry.marker and entry.marker.evaluate({"extra": extra})]
        own = [entry for entry in own if not entry.marker.evaluate({"extra": ""})]
        unmet = [problem for entry in own if (problem := _problem(entry.name, str(entry.specifier)))]
        if unmet and extra != "dev":
            yield note(f"extra {extra}", _some(unmet), f"pip install '{PROJECT}[{extra}]'")


def check_lock() -> Iterator[Finding]:
    """Compare the installed packages with requirements.lock, if the working folder has one."""
    if not LOCK.exists():
        return
    pins = locked(LOCK.read_text())
    other = [problem for name, pin in pins.items() if (problem := _problem(name, f"=={pin}"))]
    if other:
        message = f"{len(other)} of {len(pins)} packages are not those of {LOCK}: {_some(other)}"
        yield wrong("lock", message, f"touch {LOCK} && make setup")
    else:
        yield ok("lock", f"{len(pins)} packages are those of {LOCK}")


def locked(text: str) -> dict[str, str]:
    """Return the versions that a lock pins for this Python and platform, by package."""
    from packaging.markers import Marker

    found = re.findall(r"^([\w.-]+)==([^\s;]+)(?: ; ([^\\\n]+))?", text, re.MULTILINE)
    return {name: pin for name, pin, marker in found if not marker or Marker(marker.strip()).evaluate()}


def check_code() -> Iterator[Finding]:
    """Say so if the command runs the code of another checkout than the working folder."""
    here, ours = Path.cwd(), Path(__file__).parents[2]
    if (here / "commands" / "checks").is_dir() and here.resolve() != ours.resolve():
        message = f"the command runs the code of {ours}, not that of this folder"
        yield note("code", message, "make setup && source .venv/bin/activate")


@cache
def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _problem(name: str, specifier: str) -> str | None:
    """Return what is wrong with a package in a few words, None if it is in the range.

    A pin without a local part, such as 2.13.0, is met by one with it, such as 2.13.0+cpu.
    """
    from packaging.specifiers import SpecifierSet

    present = _installed(name)
    if present is None:
        return f"{name} is not installed"
    return (
        None
        if SpecifierSet(specifier, prereleases=True).contains(present)
        else f"{name} is {present}, not {specifier}"
    )


def _some(problems: list[str]) -> str:
    more = len(problems) - SHOWN
    return "; ".join(problems[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
