"""Tables are created once, by whoever comes first, and those of a later version are refused."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.gallery import Gallery
from service.gallery.database import Database
from service.gallery.errors import StoreFailed, StoreTooNew
from service.gallery.location import locate
from service.gallery.schema import metadata
from service.gallery.tables import HEAD, KNOWN, VERSION_TABLE, bring_up_to_date

Opener = Callable[..., Gallery]


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "service.gallery:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == HEAD == KNOWN[-1]
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(KNOWN)


def test_the_migrations_create_the_tables_of_the_schema(place: str) -> None:
    database = Database(locate(place))
    bring_up_to_date(database)
    bring_up_to_date(database)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_tables_of_a_later_version_are_refused_with_the_command(opened: Opener, place: str) -> None:
    database = Database(locate(place))
    bring_up_to_date(database)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0099'"))
    with pytest.raises(
        StoreTooNew, match=r"version 0099, and this program knows .* `git pull && make setup`"
    ):
        opened(place)
    database.close()


def test_a_database_of_something_else_is_left_alone(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (x)")
    with pytest.raises(StoreFailed, match="a database of something else: it has the table recipes"):
        opened(path)


def _open(path: Path) -> int:
    with Gallery.open(path, model_digest="a", template_size=4) as gallery:
        return gallery.version


def test_processes_that_create_a_gallery_at_once_all_get_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("forkserver").Pool(2) as pool:
        assert pool.map(_open, [tmp_path / "g.db"] * 4, chunksize=1) == [1] * 4
