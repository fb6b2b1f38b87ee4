"""`facenet summary`: the networks, or the layers of one network, as a table."""

import argparse
import sys
from collections.abc import Sequence

import torch

from facenet.errors import ParamsInvalid
from facenet.networks import NETWORKS, EmbeddingNetwork, Layer, build, find, summarise

HEADER = ("layer", "kind", "output", "parameters", "multiply-adds")


def run(arguments: argparse.Namespace) -> None:
    """Print the layers of the named network, or the list of networks if none is named.

    Raises:
        ParamsInvalid: unknown network or variant, or a size out of range.
    """
    if arguments.network is None:
        sys.stdout.write(f"{overview()}\n")
        return
    for option in ("embedding_size", "image_size", "depth"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            raise ParamsInvalid(f"--{option.replace('_', '-')} is {value}. It must be at least 1.")
    image_size = arguments.image_size or find(arguments.network).published_image_size
    network = build(arguments.network, embedding_size=arguments.embedding_size, variant=arguments.variant)
    layers = summarise(network, image_size, depth=arguments.depth)
    sys.stdout.write(f"{headline(arguments.network, network, image_size)}\n\n{table(layers)}\n")


def overview() -> str:
    """Return a line for each variant of each network; parameters are at the published embedding size."""
    lines = []
    for name, network in NETWORKS.items():
        sizes = f"{network.published_image_size} px (minimum {network.min_image_size})"
        for variant, description in network.variants.items():
            with torch.device("meta"):  # shapes without memory
                parameters = sum(p.numel() for p in build(name, variant=variant).parameters())
            lines.append(
                f"{name}, variant {variant}: {description}; {sizes}, "
                f"{parameters:,} parameters at {network.published_embedding_size} dimensions"
            )
    return "\n".join(lines)


def headline(name: str, network: EmbeddingNetwork, image_size: int) -> str:
    """Return two lines with the variant, the sizes and the kind of embedding."""
    variants = ", ".join(network.variants)
    length = "unit length" if network.normalised else "any length"
    return (
        f"{name}, variant {network.variant} of {variants}; images of {network.min_image_size} px or more\n"
        f"one image of {image_size}x{image_size} px to {network.embedding_size} numbers of {length}"
    )


def table(layers: Sequence[Layer]) -> str:
    """Return one line per layer and a line of totals, in aligned columns."""
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
