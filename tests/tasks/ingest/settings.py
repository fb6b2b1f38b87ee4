"""Parameters for tests of ingest."""

from typing import Any

from tasks.params.ingest import IngestParams


def ingest_params(*sources: dict[str, Any], **changed: Any) -> IngestParams:
    """Return parameters with these sources and changes, otherwise the defaults of params.yaml."""
    values = {
        "sources": sources or ({"kind": "orl"},),
        "held_out_identities": 10,
        "folds": 10,
        "pairs_per_fold": 300,
        "min_side": 20,
        "max_pixels": 150_000_000,
        "max_file_bytes": 200_000_000,
        "same_name": "warn",
        "decisions": None,
        "allow_identity_overlap": False,
    }
    return IngestParams.model_validate(values | changed)
