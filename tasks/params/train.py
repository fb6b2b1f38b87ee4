"""Section train of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from facenet.loss_table import LOSSES
from tasks.params.section import Fraction, Natural, Positive, Section, one_of


class Schedule(Section):
    """The learning-rate schedule.

    kind steps: `steps` maps the first epoch of an interval to its learning rate, and -1 stops the run, as in
    davidsandberg's tables. cosine and one_cycle: start and end at zero over train.epochs and peak at `rate`
    after the fraction `warmup` of the run. cyclical: triangles from a minimum, first a third of `rate` and
    15 % lower in each cycle, up to `rate`; momentum moves inversely.
    """

    kind: Literal["steps", "cosine", "one_cycle", "cyclical"]
    rate: PositiveFloat  # peak learning rate
    warmup: Fraction  # of the run
    half_cycle: PositiveFloat = 2.0  # kind cyclical: epochs from the minimum to the peak
    steps: dict[int, float] = Field(default_factory=dict)
    file: str | None = None  # kind steps: a text file of `epoch: lr` lines instead of `steps`

    @model_validator(mode="after")
    def _one_table(self) -> "Schedule":
        if self.file is not None and self.kind != "steps":
            raise ValueError(f"file requires kind steps, not {self.kind}")
        if self.file is not None and self.steps:
            raise ValueError("file and steps are both set: keep one")
        return self


class TrainParams(Section):
    """The network, its loss and the training loop."""

    network: str
    variant: str | None  # null for the first one; `facenet summary NAME` lists a network's variants
    embedding_size: Positive
    image_size: Positive  # pixels, side of the network input; cropped from the stored face
    dropout: Annotated[float, Field(ge=0, lt=1)]
    init: str | None  # weights to start from: dlib, a path, or a name to look up in FACENET_MIRRORS
    loss: Annotated[str, one_of(LOSSES)]
    margin: NonNegativeFloat  # cosface: cosine, arcface: radians, triplet: d^2, contrastive: d
    scale: PositiveFloat  # of the logits of cosface and arcface
    prelogits_norm_factor: NonNegativeFloat  # weight of the penalty on the embedding norm; 0: none
    prelogits_norm_p: PositiveFloat  # the p of that norm
    center_factor: NonNegativeFloat  # weight of a center loss added to a classification loss; 0: none
    center_version: Literal["wen", "dl4j", "davidsandberg"]
    center_rate: PositiveFloat  # update rate of the centres; originally 0.5, 0.9 and 0.05
    head_share: Fraction  # fraction of the people outside the batch that a sampled head includes
    head_sampled_above: Natural  # people; a classification head with more of them is sampled
    # Mining in the batch. listed: use exactly the triplets of plans triplets and exemplars. Plan pairs uses
    # exactly its pairs too, except with all, which forms all pairs of images in the batch.
    mining: Literal["all", "semihard", "hard", "vgg", "hardest", "batch_hard", "listed"]
    triplet_reduction: Literal["active", "all", "sum"]  # mean of the losses above zero, mean of all, sum
    epochs: Natural  # 0: no training, the model is `init` unchanged
    # Batches per epoch, in which schedules and intervals then count; null: one pass over the plan.
    steps_per_epoch: Positive | None
    validate_every: Positive  # epochs between validations; the last epoch always has one
    select: Literal["last", "best"]  # epoch of the model; best: highest validation accuracy
    evaluate_every: Natural  # epochs between runs on the evaluation pairs, which select nothing; 0: none
    # The protocol of these runs, as in section evaluate. They are keys of train, because a change of section
    # evaluate must not train again.
    evaluate_distance: Literal["euclidean_squared", "arccos", "cosine"]
    evaluate_flip: Literal["none", "concatenate", "add", "mean"]  # each but none doubles the faces to embed
    evaluate_subtract_mean: bool  # the mean of the training folds; none for euclidean_squared
    # images; plan pk uses people_per_batch x images_per_person instead. Batch norm needs at least two
    batch_size: Annotated[int, Field(ge=2)]
    balance: Fraction  # 0: images drawn uniformly; 1: people drawn uniformly; between: weight count**-balance
    # *_tf: with the epsilon of TensorFlow, see facenet/training/tensorflow.py
    optimizer: Literal["sgd", "adam", "adam_tf", "adamw", "adamw_tf", "rmsprop", "rmsprop_tf", "adagrad"]
    momentum: Annotated[float, Field(ge=0, lt=1)]  # of sgd and rmsprop; beta1 of the Adams
    nesterov: bool  # of sgd
    beta2: Annotated[float, Field(ge=0, lt=1)]  # of the Adams
    epsilon: PositiveFloat | None  # of the Adams and rmsprop; null: the optimiser's default
    schedule: Schedule
    weight_decay: NonNegativeFloat  # not applied to biases and batch norm
    # Divide gradients by their L2 length, jointly per layer (Deeplearning4j: RenormalizeL2PerLayer).
    gradient_normalisation: Literal["none", "l2_per_layer", "l2_loss_layer"]
    clip_norm: PositiveFloat | None  # maximum norm of the gradient; null: no clipping
    accumulate: Positive  # micro-batches per batch, computed in sequence to save memory
    ema: Annotated[float, Field(gt=0, lt=1)] | None  # decay of averaged weights, the final model; null: none
    compile: bool  # torch.compile: a minute of compilation, then faster steps
    freeze_to: str | None  # name of the last frozen layer; null: all layers are trained
    random_crop: bool  # crop image_size at a random place of the stored face instead of its centre
    shift: Natural  # pixels, random translation with edge padding
    flip: bool  # mirror half of the images
    rotation: Annotated[float, Field(ge=0, le=180)]  # degrees, maximum in either direction
    zoom: Annotated[float, Field(ge=0, lt=1)]  # maximum change of the scale; 0.1: enlarged by 0.9 to 1.1
    brightness: Fraction  # maximum change, as a fraction of the pixel range
    contrast: Fraction  # 0.2: a factor from 0.8 to 1.2
    saturation: Fraction  # 0.2: a factor from 0.8 to 1.2
    hue: Annotated[float, Field(ge=0, le=0.5)]  # fraction of the colour circle, maximum in either direction
    # (x - 127.5) / 128; by mean and standard deviation of the image; the pixels 0 to 255 unchanged; or by the
    # fixed means of dlib's networks
    standardisation: Literal["fixed", "per_image", "none", "dlib"]

    @model_validator(mode="after")
    def _micro_batches_have_two_images(self) -> "TrainParams":
        if self.batch_size < 2 * self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} is too small for accumulate {self.accumulate}: "
                f"batch norm needs at least two images in each micro-batch, so at least {2 * self.accumulate}"
            )
        return self
