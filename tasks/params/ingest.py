"""Section ingest of params.yaml."""

from typing import Annotated

from pydantic import Field

from tasks.params.section import Natural, Positive, Section
from tasks.params.sources import Source


class IngestParams(Section):
    """Which photos, and which of them are usable."""

    sources: tuple[Source, ...] = Field(min_length=1)
    held_out_identities: Natural  # of role split, when no source brings evaluation people of its own
    folds: Annotated[int, Field(ge=2)]  # of generated pairs; fewer when there are too few identities
    pairs_per_fold: Positive  # at most so many same and so many different pairs in a generated fold
    min_side: Positive  # pixels; photos with a shorter side are rejected
    max_pixels: Positive  # photos with more are rejected before they are decoded
    max_file_bytes: Positive
    allow_identity_overlap: bool  # evaluation people may train; the report then says so in capitals
