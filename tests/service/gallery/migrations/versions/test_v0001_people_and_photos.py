"""What the first version of the tables must guarantee on PostgreSQL."""

import pytest
from sqlalchemy import text

from service.gallery.database import Database
from service.gallery.location import locate
from service.gallery.migrations.versions.v0001_people_and_photos import BYTES, PERSONAL
from service.gallery.tables import bring_up_to_date

QUESTION = """
SELECT c.relname, a.attname, a.attstattarget, a.attstorage
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relname LIKE 'gallery_%' AND c.relkind = 'r' AND a.attnum > 0
"""


@pytest.mark.parametrize("place", [pytest.param("postgresql", marks=pytest.mark.server)], indirect=True)
def test_the_planner_keeps_no_sample_of_what_is_personal_and_bytes_are_stored_as_they_are(place: str) -> None:
    database = Database(locate(place))
    bring_up_to_date(database)
    with database.reading() as connection:
        columns = {(table, name): rest for table, name, *rest in connection.execute(text(QUESTION))}
    database.close()
    unsampled = {column for column, (target, _) in columns.items() if target == 0}
    assert unsampled == set(PERSONAL + BYTES)
    assert {column for column, (_, storage) in columns.items() if storage == "e"} == set(BYTES)
