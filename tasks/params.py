"""The typed mirror of params.yaml: a wrong key or value fails here, before any work is done.

No parameter may be called `size` or `nfiles`: DVC drops those names from its cache key.
"""

from functools import cache
from typing import Annotated, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from facenet.errors import ParamsInvalid
from facenet.images import ImageFormat
from tasks.paths import PARAMS
from tasks.section import Fraction, Natural, Positive, Section
from tasks.source_params import CelebaSource as CelebaSource
from tasks.source_params import FolderSource as FolderSource
from tasks.source_params import LfwSource as LfwSource
from tasks.source_params import OrlSource as OrlSource
from tasks.source_params import Source as Source
from tasks.triplets_params import TripletsParams as TripletsParams

PLANS = {"triplet": ("pk", "triplets", "exemplars"), "contrastive": ("pk", "pairs")}  # of losses on distances


class Base(Section):
    """What every stage shares."""

    seed: Natural
    device: str = Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    precision: Literal["auto", "fp32", "bf16", "fp16"]


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


class AlignParams(Section):
    """How a face is found and cut out; all of it is stored with the model."""

    min_face: Annotated[int, Field(ge=12)]  # pixels, shortest side of a face to look for
    thresholds: tuple[Fraction, Fraction, Fraction]  # P-Net, R-Net, O-Net
    factor: Annotated[float, Field(gt=0, lt=1)]  # between the scales of the pyramid
    max_side: Positive  # pixels; larger photos are detected on a reduced copy, boxes stay in source pixels
    selection: Literal["center_weighted", "largest", "most_probable"]
    method: Literal["crop", "similarity"]
    image_size: Positive  # pixels, side of the stored face
    margin: Natural  # pixels added in all, half on each side
    margin_in: Literal["source", "output"]  # davidsandberg/facenet | facenet-pytorch
    image_format: ImageFormat  # webp and png lose nothing; webp is smaller and twice as fast to write


class Schedule(Section):
    """The learning rate over the run.

    kind steps: `steps` maps the first epoch of a stretch to its rate, -1 stops the run, as in davidsandberg's
    tables; cosine and one_cycle: from and to zero over train.epochs, `rate` at the share `warmup` of the way;
    cyclical: triangles from a third of `rate`, 15 % less in each cycle, to `rate`; momentum goes inversely.
    """

    kind: Literal["steps", "cosine", "one_cycle", "cyclical"]
    rate: Annotated[float, Field(gt=0)]
    warmup: Fraction
    half_cycle: Annotated[float, Field(gt=0)] = 2.0  # of cyclical: epochs of a climb
    steps: dict[int, float] = Field(default_factory=dict)


class TrainParams(Section):
    """The network, its loss and the loop."""

    network: str
    variant: str | None  # form of the network, null for its first; `facenet summary NAME` lists them
    embedding_size: Positive
    image_size: Positive  # pixels, side of the network's input; cut out of the stored face
    dropout: Annotated[float, Field(ge=0, lt=1)]
    init: str | None  # state dict to start from: a path, or a name looked up in FACENET_MIRRORS
    loss: Literal["softmax", "softmax_squared", "cosface", "arcface", "triplet", "contrastive"]
    margin: Annotated[float, Field(ge=0)]  # cosface: cosine, arcface: radians, triplet: d^2, contrastive: d
    scale: Annotated[float, Field(gt=0)]  # of cosface and arcface
    prelogits_norm_factor: Annotated[float, Field(ge=0)]
    prelogits_norm_p: Annotated[float, Field(gt=0)]
    center_factor: Annotated[float, Field(ge=0)]  # of a center loss beside one that classifies; 0: none
    center_version: Literal["wen", "dl4j", "davidsandberg"]
    center_rate: Annotated[float, Field(gt=0)]  # of the centres; the versions' own are 0.5, 0.9 and 0.05
    head_share: Fraction  # of the people not in the batch with whom a sampled head compares it
    head_sampled_above: Natural  # people; the head of a loss that classifies more is sampled
    # in the batch; listed: the triplets of plans triplets and exemplars as they are. Pairs of plan pairs are
    # taken as they are too, unless it is all: then every two images of a batch are a pair
    mining: Literal["all", "semihard", "hard", "vgg", "hardest", "batch_hard", "listed"]
    triplet_reduction: Literal["active", "all", "sum"]  # mean of those above zero, mean of all, sum
    epochs: Natural  # 0 makes a model of `init` as it is
    validate_every: Positive  # epochs from one validation to the next; the last one always has one
    evaluate_every: Natural  # the same for looks at the evaluation pairs, which choose nothing; 0: none
    batch_size: Positive  # plan pk uses people_per_batch x images_per_person instead
    balance: Fraction  # 0: every image as often; 1: every person as often; in between: weight count**-balance
    # *_tf: TensorFlow's epsilon, see facenet/training/tensorflow.py
    optimizer: Literal["sgd", "adam", "adam_tf", "adamw", "rmsprop", "rmsprop_tf", "adagrad"]
    momentum: Annotated[float, Field(ge=0, lt=1)]  # of sgd and rmsprop; beta1 of the Adams
    nesterov: bool  # of sgd
    beta2: Annotated[float, Field(ge=0, lt=1)]  # of the Adams
    epsilon: Annotated[float, Field(gt=0)] | None  # of Adams and rmsprop; null: the optimiser's own
    schedule: Schedule
    weight_decay: Annotated[float, Field(ge=0)]  # not on biases and batch norm
    clip_norm: Annotated[float, Field(gt=0)] | None  # the gradient is shortened to this length; null: never
    accumulate: Positive  # pieces of a batch that are computed one after the other, to save memory
    ema: Annotated[float, Field(gt=0, lt=1)] | None  # decay of averaged weights, which become the model
    compile: bool  # torch.compile: a minute at the start, faster steps
    freeze_to: str | None  # name of the last layer that stays as it is in `init`; null: all are trained
    random_crop: bool
    shift: Natural  # pixels, random translation with edge padding
    flip: bool
    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, either way
    brightness: Fraction  # of the range of a pixel, added or taken away
    contrast: Fraction  # 0.2: times 0.8 to 1.2
    saturation: Fraction  # 0.2: times 0.8 to 1.2
    hue: Annotated[float, Field(ge=0, le=0.5)]  # of the colour circle, either way
    standardisation: Literal["fixed", "per_image"]  # (x - 127.5) / 128, or by mean and deviation of the image


class EvaluateParams(Section):
    """The LFW protocol and its options."""

    distance: Literal["euclidean_squared", "arccos", "cosine"]
    flip: Literal["none", "concatenate", "add"]
    subtract_mean: bool
    sweep: Literal["exact", "grid"]
    far: Annotated[float, Field(gt=0, lt=1)]
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    batch_size: Positive
    missing: Literal["fail", "fallback", "skip"]  # of a pair's faces: see tasks/evaluate/pairs.py
    all_pairs: bool  # embed every photo of role evaluate, not only those of pairs
    bootstrap_draws: Positive
    gallery_photos: tuple[Positive, ...]  # k known photos of a person: one gallery for each k
    fpir: Annotated[float, Field(gt=0, lt=1)]  # strangers that may be taken for somebody
    leak_similarity: Fraction  # cosine from which the pixels of two photos are compared
    leak_photos: Natural  # of training, at most, that evaluated ones are compared with


class PromotionParams(Section):
    """When a challenger replaces the champion: `metric` at least `min_gain` above the champion's."""

    metric: str
    min_gain: float
    require_significance: bool = False  # the interval of the paired difference of accuracies lies above it


class RegisterParams(Section):
    """The name in the registry and the figures a model must reach to get a version; the report of the run."""

    model: str
    gates: dict[str, float]  # least value of a figure of reports/evaluation.json
    promotion: PromotionParams
    report_photos: Literal["auto", "always", "never"] = "auto"  # auto: if all sources are orl, lfw or celeba


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
