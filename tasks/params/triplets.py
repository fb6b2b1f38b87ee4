"""Section triplets of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, model_validator

from tasks.params.section import Fraction, Positive, Section


class TripletsParams(Section):
    """Which people are trained on, and how batches are composed for the loss."""

    split: Literal["people", "images"]  # of training and validation: different people, or photos of everyone
    validation_fraction: Fraction  # fraction of the training people, or of the photos of each
    min_images: Positive  # people with fewer photos are left out of training
    plan: Literal["images", "pk", "triplets", "pairs", "exemplars"]
    people_per_batch: Annotated[int, Field(ge=2)]  # P of plans pk and exemplars
    images_per_person: Annotated[int, Field(ge=2)]  # K of plans pk and exemplars
    max_rows: Positive  # plans triplets and pairs: above this, a sample that favours people with few pairs
    # plan pairs: maximum number of same partners of each photo, and of different ones; null: no sets per
    # photo, but a balanced sample of all pairs
    partners: Positive | None
    # plan triplets: mine semi-hard negatives again with the network of each epoch
    remine: Literal["never", "epoch"]
    embedder: str | None  # plan triplets: the model that mines negatives, models:/NAME@ALIAS or a folder
    negatives: Literal["semihard", "hard", "vgg"]  # which negatives the embedder mines
    negatives_margin: PositiveFloat  # squared distance beyond the positive within which it searches
    selection: Literal[
        "facenet", "davidsandberg", "hardest"
    ]  # plan exemplars, see facenet/mining/exemplars.py
    exemplars: Annotated[int, Field(ge=3)]  # photos that plan exemplars embeds per round; a round is an epoch
    # mode of the network while embedding; davidsandberg: training
    exemplars_mode: Literal["evaluation", "training"]

    @property
    def table(self) -> Literal["images", "triplets", "pairs"]:
        """What the plan lists: images if batches are composed, or triplets mined, during training."""
        if self.plan == "triplets" and self.remine == "never":
            return "triplets"
        return "pairs" if self.plan == "pairs" else "images"

    @model_validator(mode="after")
    def _partners_are_listed(self) -> "TripletsParams":
        if self.partners is not None and self.plan != "pairs":
            raise ValueError(f"partners is only valid with plan pairs, not {self.plan}")
        return self

    @model_validator(mode="after")
    def _mined_once(self) -> "TripletsParams":
        if self.plan != "triplets" and (self.remine != "never" or self.embedder is not None):
            raise ValueError(f"remine and embedder are only valid with plan triplets, not {self.plan}")
        if self.remine != "never" and self.embedder is not None:
            raise ValueError("remine and embedder both choose the negatives: set only one of them")
        return self
