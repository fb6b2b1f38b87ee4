"""The locks: what is in which, that each file has a hash, and what an audit says."""

import importlib.util
import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def load(root: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"packages_{name}", root / "infra" / "packages" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_locked_package_has_hashes_and_no_address(root: Path) -> None:
    lock = load(root, "lock")
    for name in ("requirements.lock", "requirements-cuda.lock"):
        text = (root / name).read_text()
        entries = lock.read(text)
        assert len(entries) > 10
        for requirement, hashes in entries:
            assert re.match(r"[\w.-]+(\[[\w,]+\])?==[\w.!+]+( ;.*)?$", requirement), requirement
            assert hashes, f"{requirement} has no hash"
            assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", found) for found in hashes)
        assert "://" not in text
        cuda = [bool(lock.CUDA.match(requirement)) for requirement, _ in entries]
        assert set(cuda) == {name == "requirements-cuda.lock"}
        body = "".join(map(lock.write, entries))
        assert text.endswith(body), "written by `make lock`"


@pytest.mark.parametrize("python", ["3.11.0", "3.11.15", "3.14.0"])
def test_the_locks_have_what_locked_packages_need_on_each_python(root: Path, python: str) -> None:
    lock = load(root, "lock")
    texts = [(root / name).read_text() for name in ("requirements.lock", "requirements-cuda.lock")]
    locked = {canonicalize_name(Requirement(entry).name) for text in texts for entry, _ in lock.read(text)}
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "extra": ""}
    missing = []
    for name in sorted(locked):
        try:
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:  # for another platform or with CUDA
            continue
        applying = [each for each in needed if each.marker is None or each.marker.evaluate(environment)]
        missing += [(name, str(each)) for each in applying if canonicalize_name(each.name) not in locked]
    assert missing == []


def test_a_compiled_file_is_read_without_its_comments(root: Path) -> None:
    lock = load(root, "lock")
    text = (
        "a==1 \\\n    --hash=sha256:x \\\n    --hash=sha256:y\n# comment\nb==2 ; sys_platform == 'linux' \\\n"
    )
    text += "    --hash=sha256:z\n"
    assert lock.read(text) == [
        ("a==1", ["--hash=sha256:x", "--hash=sha256:y"]),
        ("b==2 ; sys_platform == 'linux'", ["--hash=sha256:z"]),
    ]


GOOD = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "not found"}
BAD = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}


@pytest.mark.parametrize(
    ("found", "words", "good"),
    [
        ([GOOD], "1 packages were audited, 0 are vulnerable", True),
        ([GOOD, SKIPPED], "Not audited, since the database does not know them: b.", False),
        ([GOOD, BAD], "c 2: PYSEC-1, fixed in ['3']", False),
        ([SKIPPED], "Nothing was audited", False),
        ([], "Nothing was audited", False),
    ],
)
def test_what_was_not_audited_does_not_pass(
    root: Path, found: list[dict[str, object]], words: str, good: bool
) -> None:
    lines, passed = load(root, "audit").verdict(found)
    assert words in "\n".join(lines)
    assert passed is good
