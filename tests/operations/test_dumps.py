"""Without PostgreSQL there is nothing to dump; faults/scenarios/backup_restore.py dumps a real one."""

from dataclasses import replace
from pathlib import Path

import pytest

from operations import dumps
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.settings import Settings, save
from tests.servers import free_port


def test_only_a_running_postgresql_is_dumped(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "services")
    assert dumps.dump(folder, tmp_path, {}) == []
    folder.create()
    save(Settings(database="sqlite"), folder)
    assert dumps.dump(folder, tmp_path, {}) == []
    with dumps.paused_store(folder):
        pass  # there is none
    save(replace(Settings(), database="postgresql", s3=True, control_port=free_port()), folder)
    with dumps.paused_store(folder):
        pass  # nothing runs
    with pytest.raises(ServicesFailed, match="start it with `make up`"):
        dumps.dump(folder, tmp_path, {})
    dumps.restore(folder, tmp_path, [])
