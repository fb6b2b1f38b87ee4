"""Rescale the gradients of each layer to unit length, as Deeplearning4j's RenormalizeL2PerLayer does."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from facenet.errors import ParamsInvalid

NORMALISATIONS = ("none", "l2_per_layer", "l2_loss_layer")


def check_normalisation(name: str) -> None:
    """Raise ParamsInvalid if there is no gradient normalisation called `name`."""
    if name not in NORMALISATIONS:
        raise ParamsInvalid(
            f"There is no gradient normalisation {name!r}. "
            f"Set train.gradient_normalisation to one of: {', '.join(NORMALISATIONS)}."
        )


@torch.no_grad()
def normalise_gradients(name: str, network: nn.Module, loss: nn.Module) -> None:
    """Divide the gradients of all parameters of a layer by their joint L2 length, in place.

    A layer is a module with parameters, such as a convolution with its weights and biases, without those of
    the modules inside it. A loss is one layer; its `step_square`, if any, is part of its squared length (see
    facenet.losses.output).

    name: none; l2_per_layer, for all layers and the loss; l2_loss_layer, for the loss alone, where the
        Deeplearning4j example of center loss sets it. Source: BaseMultiLayerUpdater.preApply.
    """
    if name == "none":
        return
    if name == "l2_per_layer":
        for module in network.modules():
            _divide(module.parameters(recurse=False))
    _divide(loss.parameters(), getattr(loss, "step_square", None))


def _divide(parameters: Iterable[nn.Parameter], extra: Tensor | None = None) -> None:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return
    squares = [gradient.float().square().sum() for gradient in gradients]
    length = torch.stack([*squares, *([] if extra is None else [extra])]).sum().sqrt()
    torch._foreach_div_(gradients, length.clamp_min(torch.finfo(torch.float32).tiny))
