"""People, their photos, and the model that embedded them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# PostgreSQL keeps samples of values for its planner: these must not outlive the person, and nothing is
# planned by them. It would also try to compress the others, which are random or compressed already.
PERSONAL = (("gallery_people", "key"), ("gallery_people", "name"), ("gallery_photos", "sha256"))
BYTES = (("gallery_photos", "template"), ("gallery_originals", "content"))


def upgrade() -> None:
    """Create the tables."""
    key = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    real = sa.Float(53).with_variant(postgresql.DOUBLE_PRECISION(), "postgresql")
    op.create_table(
        "gallery_info",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model_digest", sa.Text, nullable=False),
        sa.Column("template_size", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("unerased", sa.Integer),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_table(
        "gallery_people",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", key, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gallery_photos",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("gallery_people.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("side", real),
        sa.Column("sharpness", real),
        sa.Column("brightness", real),
        sa.Column("enrolled_by", sa.Text, nullable=False),
        sa.Column("enrolled_at", sa.Text, nullable=False),
        sa.Column("template", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("person_id", "sha256", name="gallery_photos_person_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gallery_originals",
        sa.Column("photo_id", sa.Integer, sa.ForeignKey("gallery_photos.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "gallery_removed",
        sa.Column("photo_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    _create_indexes()


def _create_indexes() -> None:
    for table in ("people", "photos", "removed"):
        op.create_index(f"gallery_{table}_version", f"gallery_{table}", ["version"])
    op.create_index("gallery_photos_sha256", "gallery_photos", ["sha256"])
    if op.get_bind().dialect.name == "postgresql":
        for table, column in PERSONAL + BYTES:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
        for table, column in BYTES:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
