"""Keep the first layers of a network as they are while the others learn."""

from torch import nn

from facenet.errors import ParamsInvalid


def freeze_to(network: nn.Module, name: str | None) -> list[nn.Module]:
    """Take all layers of `network` up to the one called `name` out of training, and return them.

    Their parameters need no gradient any more. They have to be in evaluation mode in every step: batch norm
    would otherwise go on to move its statistics, and dropout to drop.

    Args:
        network: its layers are its children, in the order in which they were made.
        name: of the last layer to freeze, or None for none.

    Raises:
        ParamsInvalid: there is no such layer; the message lists all.
    """
    if name is None:
        return []
    layers = dict(network.named_children())
    if name not in layers:
        raise ParamsInvalid(
            f"{type(network).__name__} has no layer {name!r}. "
            f"Set train.freeze_to to one of: {', '.join(layers)}."
        )
    names = list(layers)
    frozen = [layers[layer] for layer in names[: names.index(name) + 1]]
    for layer in frozen:
        layer.requires_grad_(False)
        layer.eval()
    return frozen
