"""`facenet summary`: the layers of a network as a table."""

import argparse
import sys
from collections.abc import Sequence

from facenet.errors import ParamsInvalid
from facenet.networks import EmbeddingNetwork, Layer, build, find, summarise

HEADER = ("layer", "kind", "output", "parameters", "multiply-adds")


def run(arguments: argparse.Namespace) -> None:
    """Print the network that the command line names.

    Raises:
        ParamsInvalid: there is no such network or variant, or a size is out of range.
    """
    for option in ("embedding_size", "image_size", "depth"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            raise ParamsInvalid(f"--{option.replace('_', '-')} is {value}. Give 1 or more.")
    image_size = arguments.image_size or find(arguments.network).published_image_size
    network = build(arguments.network, embedding_size=arguments.embedding_size, variant=arguments.variant)
    layers = summarise(network, image_size, depth=arguments.depth)
    sys.stdout.write(f"{headline(arguments.network, network, image_size)}\n\n{table(layers)}\n")


def headline(name: str, network: EmbeddingNetwork, image_size: int) -> str:
    """Return what the network is in two lines."""
    variants = ", ".join(network.variants)
    length = "unit length" if network.normalised else "any length"
    return (
        f"{name}, variant {network.variant} of {variants}; images of {network.min_image_size} px or more\n"
        f"one image of {image_size}x{image_size} px to {network.embedding_size} numbers of {length}"
    )


def table(layers: Sequence[Layer]) -> str:
    """Return a line for each layer and one for their sums, in aligned columns."""
    rows = [
        (
            layer.name,
            layer.kind,
            "x".join(map(str, layer.output)),
            f"{layer.parameters:,}",
            f"{layer.multiply_adds:,}",
        )
        for layer in layers
    ]
    parameters = sum(layer.parameters for layer in layers)
    multiply_adds = sum(layer.multiply_adds for layer in layers)
    rows = [HEADER, *rows, ("total", "", "", f"{parameters:,}", f"{multiply_adds:,}")]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
