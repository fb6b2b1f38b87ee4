"""The tables of identification, by method and by size of the gallery."""

from collections.abc import Sequence

from tasks.report.formatting import count, fixed, rate
from tasks.report.inputs import Row
from tasks.report.table import Table, interval

METHODS = {
    "nearest_neighbour": "nearest neighbour",
    "mean": "mean of photos",
    "linear_svm": "linear SVM",
}
FPIRS = ("0.1", "0.01", "0.001")  # shown of galleries.csv


def identification(rows: Sequence[Row]) -> Table:
    """Return the table of identification.csv."""
    cells = [
        (
            f"{METHODS[row['method']]}, {row['gallery_photos']}",
            *(count(row["people"]), count(row["probes"]), fixed(row["rank1"]), fixed(row["rank5"])),
            f"{fixed(row['tpir'])} ({interval(row, 'tpir')})",
            f"{fixed(row['fpir'])} ({interval(row, 'fpir')})",
            *(rate(row["fpir_target"]), count(row["strangers"])),
        )
        for row in rows
    ]
    head = (
        *("Method, photos per gallery person", "People", "Probes", "Rank 1", "Rank 5", "TPIR (95 %)"),
        *("FPIR (95 %)", "Target FPIR", "Unknown people"),
    )
    return Table("Open-set identification", head, cells)


def galleries(rows: Sequence[Row]) -> Table:
    """Return the table of galleries.csv, a row per size."""
    by_size: dict[str, list[Row]] = {}
    for row in rows:
        if row["fpir_target"] in FPIRS:
            by_size.setdefault(row["photos"], []).append(row)
    cells = [
        (
            count(size),
            f"{fixed(found[0]['rank1'])} ({interval(found[0], 'rank1')})",
            *(_at_rate(row) for row in found),
        )
        for size, found in by_size.items()
    ]
    head = ("People", "Rank 1 (95 %)", *(f"TPIR at FPIR {rate(target)} (95 %)" for target in FPIRS))
    return Table("Galleries with one photo per person; a star: too few people for that rate", head, cells)


def _at_rate(row: Row) -> str:
    star = "" if row["supported"] == "true" else " *"
    return f"{fixed(row['tpir'])} ({interval(row, 'tpir')}){star}"
