"""The tables of the page, built from the stages' tables and metrics."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.report.formatting import count, decimal, fixed, flat, plain, rate, slice_name
from tasks.report.identification import galleries, identification
from tasks.report.inputs import Findings, Metrics, Row
from tasks.report.slices import by_attribute, by_photo
from tasks.report.table import Cells, Table, interval

MOST = 20  # rows shown of a table whose length depends on the data
SLICE_HEAD = ("Slice", "Accuracy", "95 % interval", "Pairs", "False accepts", "False rejects")
RANGES = {"side": "px", "sharpness": "", "brightness": "", "turn": ""}


def tables(findings: Findings) -> dict[str, Table]:
    """Return every table by its name in the template; a table may have no rows."""
    read = findings.tables
    from_rows = {name: make(read[name]) for name, make in _FROM_ROWS.items()}
    attributes = _attributes(read["slices"])
    return {**from_rows, "attributes": attributes, **_counted(findings.metrics)}


def _folds(rows: Sequence[Row]) -> Table:
    cells = [
        (
            str(int(row["fold"]) + 1),
            *(count(row["pairs"]), fixed(row["accuracy"]), decimal(row["threshold"])),
            *(fixed(row["val"]), fixed(row["far"]), decimal(row["val_threshold"])),
        )
        for row in rows
    ]
    head = ("Fold", "Pairs", "Accuracy", "Threshold", "VAL", "FAR", "VAL threshold")
    return Table("Folds, each scored with a threshold from the other pairs", head, cells)


def _points(rows: Sequence[Row]) -> Table:
    cells = [
        (
            rate(row["far_target"]),
            *(decimal(row["threshold"]), fixed(row["probability"], 1)),
            f"{fixed(row['far'])} ({interval(row, 'far')})",
            f"{fixed(row['val'])} ({interval(row, 'val')})",
            *(count(row["people"]), count(row["people_pairs"])),
            "yes" if row["supported"] == "true" else "no",
        )
        for row in rows
    ]
    head = (
        *("Target FAR", "Threshold", "Probability", "FAR (95 %)", "VAL (95 %)"),
        *("People", "Pairs of people", "Supported"),
    )
    return Table("Operating points", head, cells)


def _calibration(rows: Sequence[Row]) -> Table:
    cells = [
        (
            interval({"p_low": row["low"], "p_high": row["high"]}, "p", 0),
            *(count(row["pairs"]), fixed(row["predicted"], 1), fixed(row["observed"], 1)),
            interval(row, "observed", 1),
        )
        for row in rows
    ]
    head = ("Probability", "Pairs", "Mean predicted", "Observed same", "95 % interval")
    return Table("Predicted and observed probability", head, cells)


def _slices(rows: Sequence[Row]) -> Table:
    cells = [(*_slice(row), _range(row)) for row in by_photo(rows)]
    return Table("Slices by the worse photo of a pair", (*SLICE_HEAD, "Values"), cells)


def _attributes(rows: Sequence[Row]) -> Table:
    cells = [_slice(row) for row in by_attribute(rows)]
    return Table("Slices by attributes of both photos of a pair", SLICE_HEAD, cells)


def _slice(row: Row) -> Cells:
    return (
        slice_name(f"{row['slice']}, {row['part']}"),
        *(fixed(row["accuracy"]), interval(row, "accuracy"), count(row["pairs"])),
        *(count(row["false_accepts"]), count(row["false_rejects"])),
    )


def _people(rows: Sequence[Row]) -> Table:
    names = ("pairs", "errors", "false_accepts", "false_rejects")
    cells = [(row["identity"], *(count(row[name]) for name in names)) for row in rows[:MOST]]
    head = ("Person", "Pairs", "Errors", "False accepts", "False rejects")
    return Table("People with the most errors", head, cells, total=len(rows), file="worst_identities.csv")


def _all_pairs(rows: Sequence[Row]) -> Table:
    cells = [
        (
            rate(row["far_target"]),
            *(decimal(row["threshold"]), rate(row["far"]), fixed(row["val"])),
            *(count(row["different"]), count(row["same"])),
            "yes" if row["supported"] == "true" else "no",
        )
        for row in rows
    ]
    head = ("Target FAR", "Threshold", "FAR", "VAL", "Different pairs", "Same pairs", "Supported")
    return Table("All pairs of the embedded photos", head, cells)


def _missing(rows: Sequence[Row]) -> Table:
    cells = [
        (f"{row['left_name']} and {row['right_name']}", str(int(row["fold"]) + 1), row["reason"])
        for row in rows[:MOST]
    ]
    caption = "Pairs that were not used (fold 0 is for choosing thresholds only)"
    head = ("Pair", "Fold", "Reason")
    return Table(caption, head, cells, words=(2,), total=len(rows), file="missing_pairs.csv")


def _leaks(rows: Sequence[Row]) -> Table:
    cells = [
        (
            *(row["evaluated"], row["trained"], row["found_by"]),
            *(decimal(row["cosine"], 3), decimal(row["pixels"], 3)),
        )
        for row in rows[:MOST]
    ]
    head = ("Evaluated", "Trained", "Found by", "Cosine", "Pixel similarity")
    caption = "Evaluated people and photos that also trained"
    return Table(caption, head, cells, words=(1, 2), total=len(rows), file="leaks.csv")


_FROM_ROWS: dict[str, Callable[[Sequence[Row]], Table]] = {
    "folds": _folds,
    "operating_points": _points,
    "calibration": _calibration,
    "slices": _slices,
    "worst_identities": _people,
    "identification": identification,
    "galleries": galleries,
    "all_pairs": _all_pairs,
    "missing_pairs": _missing,
    "leaks": _leaks,
}


def _counted(metrics: Mapping[str, Metrics]) -> dict[str, Table]:
    """Return the counts of ingest, align and triplets."""
    ingest, align, triplets = (metrics[stage] for stage in ("ingest", "align", "triplets"))
    sources = [
        (name, *(count(source[key]) for key in ("found", "kept", "identities")))
        for name, source in ingest.get("sources", {}).items()
    ]
    roles = [
        (f"to {role}", *(count(ingest[role][key]) for key in ("images", "identities")))
        for role in ("train", "evaluate")
        if role in ingest
    ]
    return {
        "sources": Table("Photos by source", ("Source", "Found", "Kept", "People"), sources),
        "roles": Table("Photos by use", ("Use", "Photos", "People"), roles),
        "decisions_made": _decisions(ingest.get("decisions", {})),
        "ingest_rejected": _reasons("Files rejected by ingest", ingest.get("rejected", {})),
        "align_rejected": _reasons("Photos rejected by align", align.get("rejected", {})),
        "faces_per_photo": _reasons(
            "Faces found in a photo", align.get("faces_per_photo", {}), ("Faces", "Photos")
        ),
        "face_sides": _reasons(
            "Longer side of the chosen face", align.get("face_sides", {}), ("Pixels", "Photos")
        ),
        "people": _reasons(
            "People and photos in training",
            {label: triplets[key] for key, label in _TRAINING.items() if triplets.get(key)},
            ("Part", "Count"),
        ),
    }


def _decisions(decisions: Mapping[str, Any]) -> Table:
    """Return the decisions of reviewers by action; no rows without any."""
    cells = [
        (action, count(rows), count(decisions["photos"][action]))
        for action, rows in decisions.get("rows", {}).items()
        if rows
    ]
    return Table("Decisions about photos and people", ("Decision", "Decisions", "Photos"), cells)


_TRAINING = {
    "identities_train": "people in training",
    "images_train": "their photos",
    "identities_validation": "people held out for validation",
    "images_validation": "their photos, validation",
    "validation_pairs": "validation pairs",
    "identities_dropped": "people with too few photos",
    "images_dropped": "their photos, not used",
    "fallbacks_left_out": "photos without a face, left out",
}


def _reasons(caption: str, counts: Mapping[str, Any], head: tuple[str, str] = ("Reason", "Photos")) -> Table:
    return Table(caption, head, [(name.replace("_", " "), count(value)) for name, value in counts.items()])


def parameters(sections: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    """Return one table of exact parameter values per section."""
    return [
        Table(section, ("Parameter", "Value"), [(name, plain(value)) for name, value in flat(values)], (1,))
        for section, values in sections.items()
    ]


def _range(row: Row) -> str:
    if not row["low"]:
        return ""
    return f"{decimal(row['low'], 3)} to {decimal(row['high'], 3)} {RANGES.get(row['slice'], '')}".strip()
