"""What must be true of the data between the stages: the only door to Great Expectations.

A function returns when all is well and raises DataInvalid, naming rows, when not. A stage calls it before it
writes its outputs. Great Expectations takes seconds to import, so only a call imports it.
"""

import importlib
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from tasks.expectations import tables
from tasks.expectations.tables import Table


def prepare() -> None:
    """Begin to import Great Expectations beside other work, so that a later call need not wait for it."""
    threading.Thread(target=importlib.import_module, args=("tasks.expectations.validation",)).start()


def validate_manifest(
    manifest: pd.DataFrame, *, pairs: pd.DataFrame | None = None, allow_identity_overlap: bool = False
) -> None:
    """Check data/raw/manifest.parquet and, when given, data/raw/pairs.parquet against it.

    Photos of scored pairs must not be there to train on, unless `allow_identity_overlap`.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity and path.
    """
    _validate(tables.of_manifest(manifest, pairs, allow_identity_overlap))


def validate_faces(faces: pd.DataFrame) -> None:
    """Check the aligned faces: the columns of FACES_SCHEMA, of which `image` may be left out.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity and image_id.
    """
    _validate(tables.of_faces(faces))


def validate_triplets(
    identities: pd.DataFrame,
    plan: pd.DataFrame,
    evaluation_identities: Collection[str],
    *,
    row_identities: Sequence[str] | None = None,
) -> None:
    """Check the split of people and the plan; above all that nobody who is evaluated trains.

    Args:
        identities: columns identity, images, split.
        plan: row numbers into the faces: columns row, label (plans images and pk), anchor, positive, negative
            (plan triplets) or left, right, same (plan pairs). A plan without any of these is not looked at.
        evaluation_identities: everyone in a scored pair; compared without case, accents and punctuation.
            Empty if `ingest.allow_identity_overlap`.
        row_identities: the identity of each row of the faces. With it, row numbers are checked against their
            number, and labels and people of the plan against their names; all must be of one split.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity or number.
    """
    _validate(tables.of_triplets(identities, plan, evaluation_identities, row_identities))


def document(checked: list[Table], folder: Path) -> dict[str, bool]:
    """Write Great Expectations' site for these tables to `folder`, and return by name which hold."""
    from tasks.expectations.validation import write_site

    return write_site(checked, folder)


def _validate(checked: list[Table]) -> None:
    from tasks.expectations.validation import validate

    validate(checked)
