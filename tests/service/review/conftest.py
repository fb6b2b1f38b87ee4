"""A small workspace with an audit."""

from pathlib import Path

import pytest

from tests.service.review.workspaces import Workspace, small_workspace


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    """Three people with four photos each, and six suspects."""
    return small_workspace(tmp_path)
