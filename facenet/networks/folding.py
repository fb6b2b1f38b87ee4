"""Batch norms merged into the convolutions before them, for inference."""

import copy

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode whose convolutions do the work of the batch norms after them.

    There a batch norm is a scale and an offset per channel (Ioffe and Szegedy 2015, section 3.1), but reads
    and writes the whole map once more. A block names the two `conv` and `bn`; others stay as they are.
    """
    folded = copy.deepcopy(network).eval()
    for block in list(folded.modules()):
        conv, bn = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and type(bn) is nn.BatchNorm2d:  # and not NN1's inert one
            block.conv = fuse_conv_bn_eval(conv, bn)
            block.bn = nn.Identity()
    return folded
