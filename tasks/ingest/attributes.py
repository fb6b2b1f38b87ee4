"""The attributes that sources state for their photos: the table data/raw/attributes.parquet."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa

from tasks.ingest.records import Record

UNKNOWN = 2  # 0: no, 1: yes

Names = Mapping[str, Sequence[str]]  # of the attributes of a source, by its name


def attributes_table(records: Sequence[Record], names: Names, kept: Collection[str]) -> pa.Table:
    """Return image_id and a nullable boolean column per attribute, one row per photo with known attributes.

    Sorted by image_id; only the photos in `kept`. An attribute is null where only another source has it. Of
    equal photos with several rows in the lists, the row of the kept one counts, else the first.
    """
    columns = list(dict.fromkeys(name for source in names.values() for name in source))
    places = {source: [columns.index(name) for name in listed] for source, listed in names.items()}
    chosen: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: not record.kept):
        if record.attributes is not None and record.image_id in kept:
            chosen.setdefault(str(record.image_id), record)
    image_ids = sorted(chosen)
    values = np.full((len(image_ids), len(columns)), UNKNOWN, np.uint8)
    for row, image_id in enumerate(image_ids):
        record = chosen[image_id]
        values[row, places[record.source]] = np.frombuffer(record.attributes or b"", np.uint8)
    arrays = [pa.array(column == 1, mask=column == UNKNOWN) for column in values.T]
    schema = pa.schema({"image_id": pa.string()} | dict.fromkeys(columns, pa.bool_()))
    return pa.Table.from_arrays([pa.array(image_ids, pa.string()), *arrays], schema=schema)


def attribute_counts(records: Sequence[Record], names: Names) -> dict[str, dict[str, int]]:
    """Return the key `attributes` of the report: kept photos with and without a row in their source's list.

    Empty if no source has a list.
    """
    listed = [record for record in records if record.kept and names.get(record.source)]
    known = sum(record.attributes is not None for record in listed)
    if not any(names.values()):
        return {}
    return {"attributes": {"photos": known, "photos_without": len(listed) - known}}
