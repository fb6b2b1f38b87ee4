"""A small workspace, built once and copied for each test."""

from pathlib import Path

import pytest

from tests.tasks.forgetting.small import build, copy_of


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of `small`, which tests only read."""
    folder = tmp_path_factory.mktemp("small")
    build(folder)
    return folder


@pytest.fixture
def small(small_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the workspace, as the working folder."""
    root = copy_of(small_template, tmp_path / "small workspace")
    monkeypatch.chdir(root)
    return root
