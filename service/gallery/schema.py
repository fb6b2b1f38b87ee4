"""The tables of the gallery; service/gallery/migrations creates them in a database."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, TEXT
from sqlalchemy.types import Float

metadata = MetaData()
# Keys sort by code point in both databases, whatever the locale of the server.
KEY = Text().with_variant(TEXT(collation="C"), "postgresql")
REAL = Float(53).with_variant(DOUBLE_PRECISION(), "postgresql")

# One row, with id 1. version: counts the changes; each is one transaction, which locks this row first, so
# that versions become visible in order. unerased: version of the last removal whose bytes may still be in
# the files of the store, or null.
info = Table(
    "gallery_info",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model_digest", Text, nullable=False),
    Column("template_size", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("unerased", Integer),
    Column("created_at", Text, nullable=False),
)

# key: the name folded by facenet.identity.fold_name, which decides who is the same person. version: of the
# last change to the row. SQLite must not give an id away twice: readers follow changes by id.
people = Table(
    "gallery_people",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", KEY, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("gallery_people_version", "version"),
    sqlite_autoincrement=True,
)

# template: little-endian float32. sha256: 32 bytes, of the photo's file. enrolled_at: ISO 8601, UTC.
photos = Table(
    "gallery_photos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, ForeignKey("gallery_people.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("side", REAL),
    Column("sharpness", REAL),
    Column("brightness", REAL),
    Column("enrolled_by", Text, nullable=False),
    Column("enrolled_at", Text, nullable=False),
    Column("template", LargeBinary, nullable=False),
    UniqueConstraint("person_id", "sha256", name="gallery_photos_person_sha256"),
    Index("gallery_photos_version", "version"),
    Index("gallery_photos_sha256", "sha256"),
    sqlite_autoincrement=True,
)

# The files of photos, if they are kept: apart, so that loading the templates does not read past them.
originals = Table(
    "gallery_originals",
    metadata,
    Column("photo_id", Integer, ForeignKey("gallery_photos.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# Which photos were removed, so that readers can follow; numbers only.
removed = Table(
    "gallery_removed",
    metadata,
    Column("photo_id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Index("gallery_removed_version", "version"),
)
