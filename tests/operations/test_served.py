"""Two servers take turns to serve the champion."""

from dataclasses import replace

import pytest

from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.served import Served, load_served, save_served


def test_the_turn_is_remembered(folder: Folder) -> None:
    assert load_served(folder) == Served("a", "", "")
    save_served(Served("b", "3", "4"), folder)
    assert load_served(folder) == Served("b", "3", "4")


def test_each_server_loads_its_version() -> None:
    served = Served("a", "3", candidate="4")
    assert (served.other, served.version_of("a"), served.version_of("b")) == ("b", "3", "4")
    assert replace(served, slot="b").other == "a"


def test_a_damaged_file_is_named(folder: Folder) -> None:
    folder.served.write_text("{}}")
    with pytest.raises(ServicesFailed, match=r"served\.json is damaged: delete it"):
        load_served(folder)
