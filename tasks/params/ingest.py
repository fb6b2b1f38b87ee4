"""Section ingest of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.params.section import Natural, Positive, Section
from tasks.params.sources import Source

HeldOut = Natural | Literal["auto"]
SameName = Literal["merge", "warn", "refuse"]


class IngestParams(Section):
    """The sources of photos, and which photos are usable."""

    sources: tuple[Source, ...] = Field(min_length=1)
    # people of sources with role split who are evaluated, if no source defines evaluation people;
    # auto: a quarter up to 100, or a tenth up to 500 if that is more, see tasks/ingest/roles.py
    held_out_identities: HeldOut
    folds: Annotated[int, Field(ge=2)]  # of generated pairs; fewer if there are too few people
    pairs_per_fold: Positive  # maximum number of same pairs, and of different pairs, in a generated fold
    min_side: Positive  # pixels; photos with a shorter side below this are rejected
    max_pixels: Positive  # larger photos are rejected before they are decoded
    max_file_bytes: Positive  # larger files are rejected without being read
    same_name: SameName  # of spellings such as Ada Lovelace and ada_lovelace, see tasks/ingest/spellings.py
    decisions: (
        Annotated[str, Field(min_length=1)] | None
    )  # file of decisions about photos and identities; null: none
    allow_identity_overlap: bool  # evaluation people may be trained on; the report then warns
