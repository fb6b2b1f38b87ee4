"""`down` where nothing runs; tests/operations/test_up.py ends real servers."""

from collections.abc import Callable

import pytest

from operations.down import down
from operations.folder import Folder
from operations.settings import save
from operations.stack import Stack
from tests.servers import free_port


def test_nothing_to_stop(
    folder: Folder, make_stack: Callable[..., Stack], capsys: pytest.CaptureFixture[str]
) -> None:
    down(folder)
    assert capsys.readouterr().out == f"{folder.path} has no servers.\n"
    save(make_stack(control_port=free_port()).settings, folder)
    down(folder)
    assert capsys.readouterr().out == "The servers were down.\n"
