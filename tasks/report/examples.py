"""Pairs shown one by one: the worst errors, and evaluated photos that also trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tasks.report.formatting import decimal, short
from tasks.report.inputs import Row, number
from tasks.report.photos import data_uris

WORST = 6  # errors shown of each kind: false accepts, false rejects
LEAKS = 12  # pairs of photos shown
SIDES = ("left", "right")


@dataclass(frozen=True)
class Face:
    """One side of a pair: the photo's name, and its data URI unless photos are left out."""

    name: str
    uri: str | None


@dataclass(frozen=True)
class Example:
    """Two faces and a note about them."""

    left: Face
    right: Face
    note: str


def worst_rows(decisions: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the six worst false accepts and the six worst false rejects, worst first."""
    wrong = sorted((row for row in decisions if row["right"] == "false"), key=_excess)
    accepts = [row for row in wrong if row["same"] == "false"]
    rejects = [row for row in reversed(wrong) if row["same"] == "true"]
    return accepts[:WORST], rejects[:WORST]


def worst_examples(
    decisions: Sequence[Row], *, pairs: Path, aligned: Path, photos: bool
) -> tuple[list[Example], list[Example]]:
    """Return the worst errors with their faces; `pairs` is data/raw/pairs.parquet."""
    halves = worst_rows(decisions)
    faces: Mapping[str, str] = {}
    if photos and any(halves):
        ids = _photos_by_name(pairs)
        named = {row[f"{side}_name"] for half in halves for row in half for side in SIDES}
        uris = data_uris(aligned, {ids[name] for name in named})
        faces = {name: uris[ids[name]] for name in named}
    accepts, rejects = ([_example(row, faces) for row in half] for half in halves)
    return accepts, rejects


def leak_examples(leaks: Sequence[Row], *, aligned: Path, photos: bool) -> list[Example]:
    """Return evaluated photos with the training photos they equal or resemble; none without photos."""
    seen = [row for row in leaks if row["evaluated_photo"]][:LEAKS] if photos else []
    faces = data_uris(aligned, {row[side] for row in seen for side in ("evaluated_photo", "trained_photo")})
    return [
        Example(
            Face(row["evaluated"], faces.get(row["evaluated_photo"])),
            Face(row["trained"], faces.get(row["trained_photo"])),
            f"found by {row['found_by']}, cosine {decimal(row['cosine'], 3)}",
        )
        for row in seen
    ]


def _excess(row: Row) -> float:
    return number(row["distance"]) - number(row["threshold"])


def _example(row: Row, faces: Mapping[str, str]) -> Example:
    left, right = (Face(short(row[f"{s}_name"]), faces.get(row[f"{s}_name"])) for s in SIDES)
    sign = "≥" if row["same"] == "true" else "<"
    return Example(left, right, f"{number(row['distance']):.3f} {sign} {number(row['threshold']):.3f}")


def _photos_by_name(pairs: Path) -> dict[str, str]:
    table = pd.read_parquet(pairs, columns=[*SIDES, *(f"{side}_name" for side in SIDES)])
    return {
        name: image_id
        for side in SIDES
        for name, image_id in zip(table[f"{side}_name"], table[side], strict=True)
    }
