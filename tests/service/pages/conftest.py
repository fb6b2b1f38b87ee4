"""One browser for the tests of a module, and a run with its report."""

from collections.abc import Iterator

import pytest

from tests.browser import Tab, chromium
from tests.tasks.report.conftest import evaluated, page  # noqa: F401  # fixtures


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found
