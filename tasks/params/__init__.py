"""The schema of params.yaml: an unknown key or an invalid value fails here, before any work starts.

No parameter may be named `size` or `nfiles`: DVC leaves those names out of its cache key.
"""

from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from facenet.errors import ParamsInvalid
from facenet.loss_table import LOSSES, Needs
from tasks.params.align import AlignParams
from tasks.params.document import load, read_text
from tasks.params.evaluate import EvaluateParams
from tasks.params.ingest import IngestParams
from tasks.params.register import RegisterParams
from tasks.params.section import BOOLEAN, Section
from tasks.params.train import TrainParams
from tasks.params.triplets import TripletsParams
from tasks.paths import PARAMS

SHOWN = 60  # characters of a value in a message
# The values of triplets.plan that give a loss what it needs.
PLANS: dict[Needs, tuple[str, ...]] = {
    "labels": ("images", "pk", "triplets"),
    "triplets": ("pk", "triplets", "exemplars"),
    "pairs": ("pk", "pairs"),
}


class Base(Section):
    """Settings shared by all stages."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]  # scikit-learn takes 32 bits
    device: str = Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    precision: Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)
class Params:
    """The whole of params.yaml: `base` and one section per stage.

    A dataclass rather than a BaseModel, because BaseModel already has a method named `register`.
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
        """Whether the loss uses the triplets of the plan only, without mining in the batch."""
        return LOSSES[self.train.loss].needs == "triplets" and self.train.mining == "listed"

    @property
    def pairs_as_listed(self) -> bool:
        """Whether the loss uses the pairs of the plan only, rather than all pairs of images in the batch."""
        return self.triplets.plan == "pairs" and self.train.mining != "all"

    @model_validator(mode="after")
    def _sections_agree(self) -> "Params":
        read, stored = self.train.image_size, self.align.image_size
        if read > stored:
            raise ValueError(f"train.image_size {read} is larger than align.image_size {stored}")
        loss, plan = self.train.loss, self.triplets.plan
        needs = LOSSES[loss].needs
        plans = PLANS[needs]
        if plan not in plans:
            raise ValueError(f"train.loss {loss} requires triplets.plan {' or '.join(plans)}, not {plan}")
        if needs != "triplets" and self.triplets.remine != "never":
            raise ValueError(f"triplets.remine is only valid with train.loss triplet, not {loss}")
        if self.triplets_as_listed and plan == "pk":
            raise ValueError("train.mining listed requires triplets.plan triplets or exemplars, not pk")
        if self.triplets.split == "images" and (needs != "labels" or self.triplets.table != "images"):
            raise ValueError(
                "triplets.split images requires a classification loss and triplets.plan images or pk, "
                f"not {loss} and {plan}"
            )
        mined = plan == "exemplars" or self.triplets.remine != "never"
        if self.train.steps_per_epoch is not None and mined:
            raise ValueError(
                "train.steps_per_epoch must be null if triplets are mined before each epoch (triplets.plan "
                "exemplars or triplets.remine epoch): the number of triplets decides the length of an epoch"
            )
        if self.train.accumulate > 1 and plan != "images":
            raise ValueError(
                "train.accumulate requires triplets.plan images: pairs and triplets need the whole batch"
            )
        return self


def parse_params(text: str) -> Params:
    """Return the parameters in a YAML text.

    Raises:
        ParamsInvalid: with one line per invalid key or value.
    """
    try:
        return TypeAdapter(Params).validate_python(load(text))
    except ValidationError as error:
        lines = [f"  {_place(e)}: {_problem(e)}" for e in error.errors()]
        raise ParamsInvalid("\n".join([f"{PARAMS} is not valid:", *lines])) from error


def _place(error: ErrorDetails) -> str:
    key = [error["ctx"]["key"]] if error["type"] == BOOLEAN else []
    return ".".join(map(str, [*error["loc"], *key])) or "params"


def _problem(error: ErrorDetails) -> str:
    """Return what is wrong with a value, which has the range, and the value if it is short."""
    value, message = repr(error["input"]), error["msg"].removeprefix("Value error, ")
    whole = isinstance(error["input"], dict)  # a rule about several keys
    if error["type"] in (BOOLEAN, "missing", "extra_forbidden") or whole or len(value) > SHOWN:
        return message
    return f"{message}, got {value}"


@cache
def load_params() -> Params:
    """Return the parameters in params.yaml of the working directory, read once per process."""
    return parse_params(read_text(PARAMS))
