"""Standardisation of pixels for the network. A model is served with the one it was trained with."""

import math

import numpy as np
import torch
from torch import Tensor

from facenet import networks
from facenet.errors import ParamsInvalid
from facenet.networks.dlib_resnet import MEANS

STANDARDISATIONS = ("fixed", "per_image", "none", "dlib")
DLIB_SCALE = 256


def check_standardisation(kind: str) -> None:
    """Raise ParamsInvalid if `kind` is unknown."""
    if kind not in STANDARDISATIONS:
        raise ParamsInvalid(
            f"There is no standardisation {kind!r}. Set train.standardisation to one of: "
            f"{', '.join(STANDARDISATIONS)}."
        )


def standardise(images: np.ndarray | Tensor, kind: str = "fixed") -> Tensor:
    """Return standardised RGB photos.

    Args:
        images: uint8 (N, H, W, 3), 0 to 255.
        kind: `fixed`, (x - 127.5) / 128; `per_image`, (x - mean) / max(standard deviation, 1 / sqrt(n)) over
            all n = 3HW values of an image, so that a uniform image becomes zero (TensorFlow's
            per_image_standardization); `none`, the values 0 to 255; or `dlib`, (x - m) / 256 with the means m
            of red, green and blue that dlib's networks were trained with, 122.782, 117.001 and 104.298.

    Returns:
        float32 (N, 3, H, W), in channels_last memory order, on the device of `images`.

    Raises:
        ParamsInvalid: unknown kind.
    """
    check_standardisation(kind)
    if kind == "fixed":
        return networks.standardise_fixed(images)
    values = images if isinstance(images, Tensor) else torch.from_numpy(images.astype(np.float32))
    values = values.to(torch.float32).permute(0, 3, 1, 2)
    if kind == "none":
        return values
    if kind == "dlib":
        return (values - values.new_tensor(MEANS)[:, None, None]) / DLIB_SCALE
    centred = values - values.mean(dim=(1, 2, 3), keepdim=True)
    deviation = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return centred / deviation.clamp_min(1 / math.sqrt(math.prod(values.shape[1:])))
