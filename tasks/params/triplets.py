"""Section triplets of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tasks.params.section import Fraction, Positive, Section


class TripletsParams(Section):
    """Which people train, and what the loss is fed with."""

    validation_fraction: Fraction  # of the training identities
    min_images: Positive  # identities with fewer photos do not train
    plan: Literal["images", "pk", "triplets", "pairs", "exemplars"]
    people_per_batch: Annotated[int, Field(ge=2)]  # P of plans pk and exemplars
    images_per_person: Annotated[int, Field(ge=2)]  # K of plans pk and exemplars
    max_rows: Positive  # of plans triplets and pairs: a sample beyond it, most of it of people with few pairs
    remine: Literal["never", "epoch"]  # of plan triplets: semi-hard negatives by the network of each epoch
    embedder: str | None  # of plan triplets: a model that mines negatives, models:/NAME@ALIAS or a folder
    negatives: Literal["semihard", "hard", "vgg"]  # that the embedder mines
    negatives_margin: Annotated[float, Field(gt=0)]  # squared distance behind the positive that it looks at
    selection: Literal["facenet", "davidsandberg"]  # of plan exemplars, see facenet/mining/exemplars.py
    exemplars: Annotated[int, Field(ge=3)]  # photos that plan exemplars embeds in a round, which is an epoch
    exemplars_mode: Literal["evaluation", "training"]  # in which they are embedded; davidsandberg: training

    @property
    def table(self) -> Literal["images", "triplets", "pairs"]:
        """What the plan is a table of: images, where batches are made or triplets are mined in training."""
        if self.plan == "triplets" and self.remine == "never":
            return "triplets"
        return "pairs" if self.plan == "pairs" else "images"

    @model_validator(mode="after")
    def _mined_once(self) -> "TripletsParams":
        if self.plan != "triplets" and (self.remine != "never" or self.embedder is not None):
            raise ValueError(f"remine and embedder are for plan triplets, not {self.plan}")
        if self.remine != "never" and self.embedder is not None:
            raise ValueError("remine epoch replaces what an embedder mines: set one of the two")
        return self
