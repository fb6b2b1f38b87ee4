"""Create the tables of the gallery, or bring them up to date, with Alembic."""

import threading

from sqlalchemy import Connection, inspect, text

from service.gallery.database import Database
from service.gallery.errors import StoreFailed, StoreTooNew

HEAD = "0001"  # the newest module of service/gallery/migrations/versions
KNOWN = ("0001",)
VERSION_TABLE = "gallery_version"
_LOCK = 0x6661636E  # any number that other programs do not use in the same database
_MIGRATING = threading.Lock()  # Alembic's context is a global of the process


def bring_up_to_date(database: Database) -> None:
    """Create or change the tables in one transaction, if they are missing or old; others wait.

    Raises:
        StoreTooNew: a later version of this program has changed the tables.
        StoreFailed: the database cannot be read or written, or belongs to something else.
    """
    with database.reading() as connection:
        if _check(connection, database) == HEAD:
            return
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        if _check(connection, database) != HEAD:  # nobody else has been faster
            _upgrade(connection)


def _check(connection: Connection, database: Database) -> str | None:
    """Return the version of the tables, None without any."""
    bind = inspect(connection)
    tables = bind.get_table_names()
    if VERSION_TABLE not in tables:
        if tables and database.is_sqlite:
            raise StoreFailed(
                f"{database} is a database of something else: it has the table {tables[0]}. "
                "Set FACENET_GALLERY to another file."
            )
        return None
    version: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    if version is not None and version not in KNOWN:
        raise StoreTooNew(
            f"The gallery {database} has tables of version {version}, and this program knows {HEAD}. "
            "Install the version of facenet-pipeline that wrote it, or a newer one: `git pull && make setup`."
        )
    return version


def _upgrade(connection: Connection) -> None:
    from alembic import command  # takes a fifth of a second, and is rarely needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "service.gallery:migrations")
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    with _MIGRATING:
        command.upgrade(config, "head")
