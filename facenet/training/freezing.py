"""Freeze the first layers of a network."""

from torch import nn

from facenet.errors import ParamsInvalid


def freeze_to(network: nn.Module, name: str | None) -> list[nn.Module]:
    """Freeze all layers of `network` up to and including the one called `name`, and return them.

    Their parameters no longer require gradients. The caller must keep them in evaluation mode in every step,
    or batch norm would update its statistics and dropout would drop features.

    Args:
        network: its layers are its children, in order of definition.
        name: of the last layer to freeze, or None for none.

    Raises:
        ParamsInvalid: there is no such layer; the message lists all layers.
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
