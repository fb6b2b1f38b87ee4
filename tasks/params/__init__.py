"""The typed mirror of params.yaml: a wrong key or value fails here, before any work is done.

No parameter may be called `size` or `nfiles`: DVC drops those names from its cache key.
"""

from functools import cache
from typing import Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from facenet.errors import ParamsInvalid
from tasks.params.align import AlignParams
from tasks.params.evaluate import EvaluateParams
from tasks.params.ingest import IngestParams
from tasks.params.register import RegisterParams
from tasks.params.section import Natural, Section
from tasks.params.train import TrainParams
from tasks.params.triplets import TripletsParams
from tasks.paths import PARAMS

PLANS = {"triplet": ("pk", "triplets", "exemplars"), "contrastive": ("pk", "pairs")}  # of losses on distances


class Base(Section):
    """What every stage shares."""

    seed: Natural
    device: str = Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    precision: Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)
class Params:
    """All of params.yaml: `base` and one section per stage.

    A dataclass and no BaseModel, since the latter has a method called `register` of its own.
    """

    base: Base
    ingest: IngestParams
    align: AlignParams
    triplets: TripletsParams
    train: TrainParams
    evaluate: EvaluateParams
    register: RegisterParams

    @property
    def triplets_as_listed(self) -> bool:
        """Whether the loss takes triplets as the plan lists them, and looks for none in the batch."""
        return self.train.loss == "triplet" and self.train.mining == "listed"

    @property
    def pairs_as_listed(self) -> bool:
        """Whether the loss takes pairs as the plan lists them, and not every two images of the batch."""
        return self.triplets.plan == "pairs" and self.train.mining != "all"

    @model_validator(mode="after")
    def _sections_agree(self) -> "Params":
        read, stored = self.train.image_size, self.align.image_size
        if read > stored:
            raise ValueError(f"train.image_size {read} is larger than align.image_size {stored}")
        loss, plan = self.train.loss, self.triplets.plan
        plans = PLANS.get(loss, ("images", "pk", "triplets"))
        if plan not in plans:
            raise ValueError(f"loss {loss} needs triplets.plan {' or '.join(plans)}, not {plan}")
        if loss != "triplet" and self.triplets.remine != "never":
            raise ValueError(f"triplets.remine is for loss triplet, not {loss}")
        if self.triplets_as_listed and plan == "pk":
            raise ValueError("train.mining listed needs triplets.plan triplets or exemplars, not pk")
        if self.train.accumulate > 1 and plan != "images":
            raise ValueError(
                "train.accumulate needs triplets.plan images: pairs and triplets are found in whole batches"
            )
        return self


def parse_params(text: str) -> Params:
    """Return the parameters in a YAML text.

    Raises:
        ParamsInvalid: with one line for each wrong key or value.
    """
    try:
        return TypeAdapter(Params).validate_python(yaml.safe_load(text))
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'params'}: {e['msg']}" for e in error.errors()]
        raise ParamsInvalid("\n".join([f"{PARAMS} is not valid:", *lines])) from error
    except yaml.YAMLError as error:
        raise ParamsInvalid(f"{PARAMS} is not YAML: {error}") from error


@cache
def load_params() -> Params:
    """Return params.yaml of the working folder, read once per process."""
    if not PARAMS.exists():
        folder = PARAMS.absolute().parent
        raise ParamsInvalid(f"There is no {PARAMS} in {folder}. Run from the root of the project.")
    return parse_params(PARAMS.read_text())
