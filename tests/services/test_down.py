"""`down` where nothing runs; tests/services/test_up.py ends real servers."""

from collections.abc import Callable

import pytest

from services.down import down
from services.folder import Folder
from services.settings import save
from services.stack import Stack
from tests.servers import free_port


def test_nothing_to_stop(
    folder: Folder, make_stack: Callable[..., Stack], capsys: pytest.CaptureFixture[str]
) -> None:
    down(folder)
    assert capsys.readouterr().out == f"{folder.path} has no servers.\n"
    save(make_stack(control_port=free_port()).settings, folder)
    down(folder)
    assert capsys.readouterr().out == "The servers were down.\n"
