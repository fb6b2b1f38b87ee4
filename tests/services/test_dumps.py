"""Without PostgreSQL there is nothing to dump; faults/scenarios/backup_restore.py dumps a real one."""

from dataclasses import replace
from pathlib import Path

import pytest

from services import dumps
from services.errors import ServicesFailed
from services.folder import Folder
from services.settings import Settings, save


def test_only_a_running_postgresql_is_dumped(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "services")
    assert dumps.dump(folder, tmp_path, {}) == []
    folder.create()
    save(Settings(database="sqlite"), folder)
    assert dumps.dump(folder, tmp_path, {}) == []
    assert not dumps.store_runs(folder)
    save(replace(Settings(), database="postgresql"), folder)
    with pytest.raises(ServicesFailed, match="start it with `make up`"):
        dumps.dump(folder, tmp_path, {})
    dumps.restore(folder, tmp_path, [])
