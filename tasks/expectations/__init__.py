"""What must be true of the data between the stages: the only door to Great Expectations.

Each function returns nothing when all is well and raises DataInvalid, naming rows, when not. A stage calls it before it
writes its outputs. Great Expectations itself takes seconds to import, so that only a call does it.
"""

from collections.abc import Collection, Sequence

import pandas as pd

from tasks.expectations import tables


def validate_manifest(manifest: pd.DataFrame, *, pairs: pd.DataFrame | None = None) -> None:
    """Check data/raw/manifest.parquet and, when given, data/raw/pairs.parquet against it.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity and path.
    """
    _validate(tables.of_manifest(manifest, pairs))


def validate_faces(faces: pd.DataFrame) -> None:
    """Check the aligned faces: the columns of FACES_SCHEMA, of which `image` is not looked at and may be left out.

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
        plan: row numbers into the faces, in columns anchor, positive, negative (plan triplets) or left, right and the
            label same (plan pairs); a plan without any of these columns has nothing to check.
        evaluation_identities: everyone in a scored pair; compared after folding case, accents and punctuation.
            Empty if `ingest.allow_identity_overlap`.
        row_identities: the identity of each row of the faces table. With it, row numbers are checked against its
            length, and people and labels against its names.

    Raises:
        DataInvalid: with suite, expectation, column, count and the first rows, by identity or number in the plan.
    """
    _validate(tables.of_triplets(identities, plan, evaluation_identities, row_identities))


def _validate(checked: list[tables.Table]) -> None:
    from tasks.expectations.validation import validate

    validate(checked)
