"""Build the parts of a training run from parameters."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import nn

from facenet import losses, networks
from facenet.digests import code_digest, value_digest
from facenet.errors import ParamsInvalid
from facenet.networks import EmbeddingNetwork
from facenet.training import (
    Augmentation,
    ColourJitter,
    OptimizerSettings,
    Schedule,
    UpdateOptions,
    read_schedule,
)
from facenet.training import build_optimizer as build_named_optimizer
from tasks.params import Params
from tasks.params.train import TrainParams

SECTIONS = ("base", "align", "triplets", "train")  # the params of stage train in dvc.yaml
# The code that determines the weights: the trainer, its parts and what reads its data.
CODE = (
    "facenet.devices",
    "facenet.embedder",
    "facenet.evaluation",
    "facenet.images",
    "facenet.loss_table",
    "facenet.losses",
    "facenet.memory",
    "facenet.mining",
    "facenet.model",
    "facenet.networks",
    "facenet.standardisation",
    "facenet.training",
    "tasks.shards",
    "tasks.train.build",
    "tasks.train.data",
)
LIBRARIES = ("numpy", "pillow", "torch")
CLASSIFIER = ("logits.",)  # facenet-pytorch's files include one; it does not affect the embedding


def build_network(params: TrainParams, *, init: Path | None, seed: int) -> EmbeddingNetwork:
    """Return the network with weights from the file `init`, or random ones drawn from `seed`.

    Raises:
        ParamsInvalid: unknown network, or train.image_size is too small for it.
        WeightsInvalid: `init` does not match the network.
    """
    torch.manual_seed(seed)
    network = networks.build(
        params.network,
        embedding_size=params.embedding_size,
        dropout=params.dropout,
        variant=params.variant,
    )
    if params.image_size < network.min_image_size:
        raise ParamsInvalid(
            f"{params.network} needs images of at least {network.min_image_size} pixels, "
            f"but train.image_size is {params.image_size}."
        )
    if init is not None:
        networks.load_state(network, init, drop=CLASSIFIER)
    return network


def build_loss(params: TrainParams, *, classes: int, listed: bool, normalised: bool) -> losses.Loss:
    """Return the loss; its head is drawn from PyTorch's global generator.

    Args:
        params: of the loss.
        classes: number of training people.
        listed: whether pairs or triplets are consecutive in a batch, so that none are mined.
        normalised: whether the network's embeddings have unit length.
    """
    return losses.build(
        params.loss,
        embedding_size=params.embedding_size,
        classes=classes,
        margin=params.margin,
        scale=params.scale,
        prelogits_norm_factor=params.prelogits_norm_factor,
        prelogits_norm_p=params.prelogits_norm_p,
        center_factor=params.center_factor,
        center_version=params.center_version,
        center_rate=params.center_rate,
        head_share=params.head_share,
        head_sampled_above=params.head_sampled_above,
        mining=params.mining,
        triplet_reduction=params.triplet_reduction,
        listed=listed,
        normalised=normalised,
    )


def build_optimizer(params: TrainParams, modules: Iterable[nn.Module]) -> torch.optim.Optimizer:
    """Return the optimiser over all trainable parameters of `modules`."""
    settings = OptimizerSettings(
        lr=params.schedule.rate,
        momentum=params.momentum,
        nesterov=params.nesterov,
        beta2=params.beta2,
        epsilon=params.epsilon,
        weight_decay=params.weight_decay,
    )
    return build_named_optimizer(params.optimizer, modules, settings)


def build_schedule(params: TrainParams, *, steps_per_epoch: int) -> Schedule:
    """Return the learning rate schedule.

    Raises:
        ParamsInvalid: train.schedule.file or the table of learning rates is invalid.
    """
    file = params.schedule.file
    return Schedule(
        kind=params.schedule.kind,
        lr=params.schedule.rate,
        warmup=params.schedule.warmup,
        half_cycle=params.schedule.half_cycle,
        table=read_schedule(Path(file)) if file else params.schedule.steps,
        epochs=params.epochs,
        steps_per_epoch=steps_per_epoch,
    )


def build_augmentation(params: TrainParams) -> Augmentation:
    """Return the augmentation of training faces."""
    return Augmentation(
        image_size=params.image_size,
        random_crop=params.random_crop,
        shift=params.shift,
        flip=params.flip,
        rotation=params.rotation,
        zoom=params.zoom,
        colour=ColourJitter(
            brightness=params.brightness,
            contrast=params.contrast,
            saturation=params.saturation,
            hue=params.hue,
        ),
    )


def build_options(params: TrainParams, *, frozen: Sequence[nn.Module]) -> UpdateOptions:
    """Return how the weights are updated."""
    return UpdateOptions(
        standardisation=params.standardisation,
        clip_norm=params.clip_norm,
        gradient_normalisation=params.gradient_normalisation,
        ema=params.ema,
        compiled=params.compile,
        frozen=frozen,
    )


def sections(params: Params) -> dict[str, Any]:
    """Return the parameters that the model depends on, as plain values."""
    values: dict[str, Any] = TypeAdapter(Params).dump_python(params, mode="json")
    return {name: values[name] for name in SECTIONS}


def run_key(parameters: Mapping[str, Any], data: Mapping[str, str], *, device: str, precision: str) -> str:
    """Return the key of a run's checkpoints: runs with equal keys produce the same weights.

    It covers parameters, data, device, precision, PyTorch and the training code.
    """
    parts = [parameters, dict(data), device, precision, code_digest(CODE, LIBRARIES)]
    return value_digest(parts)[:16]
