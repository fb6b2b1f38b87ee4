"""Alembic's environment of the gallery; service/gallery/tables.py runs it."""
