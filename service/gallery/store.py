"""A database that is a gallery of one model: its tables are up to date, and its templates are comparable."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Row

from service.gallery.database import Database
from service.gallery.erasure import erase
from service.gallery.errors import ErasureIncomplete, ModelDiffers, StoreFailed
from service.gallery.location import locate
from service.gallery.reading import read_info
from service.gallery.tables import bring_up_to_date
from service.gallery.writing import bind

RESUME_SECONDS = 1.0  # how long opening waits for readers, to end an erasure that was interrupted
_log = logging.getLogger(__name__)


class Store:
    """Transactions of a gallery, which check that nobody has bound it to another model."""

    def __init__(self, database: Database, model_digest: str, template_size: int) -> None:
        self.database = database
        self.model_digest, self.template_size = model_digest, template_size

    @classmethod
    def open(cls, url: str | Path | None, model_digest: str, template_size: int) -> Self:
        """Create or open the gallery, and bind a new one to the model; see `Gallery.open`.

        Raises:
            ModelDiffers: its templates come from another model.
            StoreTooNew: a later version of this program has changed its tables.
            StoreFailed: the database cannot be read or written.
        """
        database = Database(locate(url))
        try:
            bring_up_to_date(database)
            store = cls(database, model_digest, template_size)
            store._bind()
            store._resume_erasure()
        except BaseException:
            database.close()
            raise
        return store

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees the state of one moment."""
        with self.database.reading() as connection:
            self.state(connection)
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are durable after the block, or undone if it raises."""
        with self.database.writing() as connection:
            self.state(connection)
            yield connection

    def state(self, connection: Connection) -> Row[Any]:
        """Return the row about the gallery.

        Raises:
            ModelDiffers: its templates come from another model.
        """
        row = read_info(connection)
        if row is None:
            raise StoreFailed(f"The gallery {self.database} is damaged: a table is empty. Restore a backup.")
        if (row.model_digest, row.template_size) != (self.model_digest, self.template_size):
            raise ModelDiffers(
                f"The gallery {self.database} has templates of the model {row.model_digest[:12]}, which "
                f"cannot be compared with those of the model in use, {self.model_digest[:12]}. Use that "
                "model, or embed the people again with this one: `facenet gallery migrate`."
            )
        return row

    def _bind(self) -> None:
        """Bind a new gallery to this model, and check an old one."""
        with self.database.reading() as connection:
            if read_info(connection) is not None:
                self.state(connection)
                return
        with self.database.writing() as connection:
            bind(connection, self.model_digest, self.template_size)
            self.state(connection)

    def _resume_erasure(self) -> None:
        with self.reading() as connection:
            version = self.state(connection).unerased
        if version is not None:
            try:
                erase(self.database, version, seconds=RESUME_SECONDS)
            except (ErasureIncomplete, StoreFailed) as error:  # the gallery can be used; the next one tries
                _log.warning("An interrupted removal from the gallery is not erased yet: %s", error)
