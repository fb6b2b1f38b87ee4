"""Fold batch norms into the preceding convolutions, for inference."""

import copy

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode with batch norms folded into the convolutions before them.

    At inference a batch norm is a scale and an offset per channel (Ioffe and Szegedy 2015, section 3.1), yet
    it reads and writes the whole map again. Only blocks that name the two `conv` and `bn` are folded.
    """
    folded = copy.deepcopy(network).eval()
    for block in list(folded.modules()):
        conv, bn = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(conv, nn.Conv2d) and type(bn) is nn.BatchNorm2d:  # excludes NN1's inert batch norm
            block.conv = fuse_conv_bn_eval(conv, bn)
            block.bn = nn.Identity()
    return folded
