"""Fold batch norms and affine layers into the preceding convolutions, for inference."""

import copy

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from facenet.networks.dlib_resnet import Affine


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode with batch norms folded into the convolutions before them.

    At inference a batch norm is a scale and an offset per channel (Ioffe and Szegedy 2015, section 3.1), yet
    it reads and writes the whole map again; so does an affine layer. Only blocks that name the two `conv` and
    `bn` are folded.
    """
    folded = copy.deepcopy(network).eval()
    for block in list(folded.modules()):
        conv, bn = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and type(bn) is nn.BatchNorm2d:  # excludes NN1's inert batch norm
            block.conv = fuse_conv_bn_eval(conv, bn)
            block.bn = nn.Identity()
        if isinstance(conv, nn.Conv2d) and isinstance(bn, Affine):
            block.conv, block.bn = _folded(conv, bn), nn.Identity()
    return folded


def _folded(conv: nn.Conv2d, affine: Affine) -> nn.Conv2d:
    """Return `conv`, changed in place, followed by `affine`."""
    assert conv.bias is not None
    with torch.no_grad():
        conv.weight *= affine.weight[:, None, None, None]
        conv.bias.copy_(conv.bias * affine.weight + affine.bias)
    return conv
