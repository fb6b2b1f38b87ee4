"""Run by Alembic with the connection, and in the transaction, of service/gallery/tables.py."""

from alembic import context

from service.gallery.schema import metadata

# SQLite has transactional DDL as well, if BEGIN is sent, which service/gallery/database.py does.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
