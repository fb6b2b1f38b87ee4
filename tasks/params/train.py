"""Section train of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.params.section import Fraction, Natural, Positive, Section


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
