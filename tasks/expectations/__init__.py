"""Data validation between the stages: the only interface to Great Expectations.

Each function returns if the data is valid, and raises DataInvalid with the offending rows if not. Stages call
them before writing their outputs. Great Expectations takes seconds to import, so it is imported on first use.
"""

import importlib
import threading
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from tasks.expectations import tables
from tasks.expectations.tables import Table


def prepare() -> None:
    """Import Great Expectations in the background, so that a later call does not wait for it."""
    threading.Thread(target=importlib.import_module, args=("tasks.expectations.validation",)).start()


def validate_manifest(
    manifest: pd.DataFrame, *, pairs: pd.DataFrame | None = None, allow_identity_overlap: bool = False
) -> None:
    """Check data/raw/manifest.parquet and, when given, data/raw/pairs.parquet against it.

    Photos in scored pairs must not have role train, unless `allow_identity_overlap`.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity and path.
    """
    _validate(tables.of_manifest(manifest, pairs, allow_identity_overlap))


def validate_faces(faces: pd.DataFrame) -> None:
    """Check the aligned faces: the columns of FACES_SCHEMA; `image` may be missing.

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
    """Check the split of people and the plan; above all that no evaluation person is trained on.

    Args:
        identities: columns identity, images, split.
        plan: row numbers into the faces: columns row, label (plans images and pk), anchor, positive, negative
            (plan triplets) or left, right, same (plan pairs). A plan without any of these is not checked.
        evaluation_identities: all people in scored pairs; compared without case, accents and punctuation.
            Empty if `ingest.allow_identity_overlap`.
        row_identities: the identity of each row of the faces. If given, the row numbers, labels and people of
            the plan are checked against it; all must belong to one split.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity or number.
    """
    _validate(tables.of_triplets(identities, plan, evaluation_identities, row_identities))


def document(checked: list[Table], folder: Path) -> dict[str, bool]:
    """Write the Great Expectations site for these tables to `folder`, and return which tables passed."""
    from tasks.expectations.validation import write_site

    return write_site(checked, folder)


def _validate(checked: list[Table]) -> None:
    from tasks.expectations.validation import validate

    validate(checked)
