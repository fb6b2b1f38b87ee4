"""`facenet summary`: the networks, or the layers of one network, as a table."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from commands.exit_codes import OK
from commands.output import show, show_json
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from facenet.networks import EmbeddingNetwork, Layer

HEADER = ("layer", "kind", "output", "parameters", "multiply-adds")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet summary`."""
    parser.description = (
        "Print a network's layers: output shapes, parameters and multiply-adds for one image. Without NAME, "
        "list the networks and their variants."
    )
    add = parser.add_argument
    add("network", nargs="?", metavar="NAME", help="as in train.network")
    add("--embedding-size", type=int, metavar="N", help="width of the output (default: the published one)")
    add("--image-size", type=int, metavar="PIXELS", help="side of the image (default: the published one)")
    add("--variant", help="variant of the network, as in train.variant (default: the first)")
    add("--depth", type=int, default=1, metavar="D", help="levels of nesting to show (default: 1)")
    add("--json", action="store_true", help="print the same as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the layers of the named network, or the list of networks if none is named.

    Raises:
        ParamsInvalid: unknown network or variant, or a size out of range.
    """
    from facenet.networks import build, find, summarise  # imported late: torch takes seconds

    if arguments.network is None:
        networks = variants()
        show_json(networks) if arguments.json else show("\n".join(map(overview, networks)) + "\n")
        return OK
    for option in ("embedding_size", "image_size", "depth"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            raise ParamsInvalid(f"--{option.replace('_', '-')} is {value}. It must be at least 1.")
    image_size = arguments.image_size or find(arguments.network).published_image_size
    network = build(arguments.network, embedding_size=arguments.embedding_size, variant=arguments.variant)
    layers = summarise(network, image_size, depth=arguments.depth)
    if arguments.json:
        show_json([dataclasses.asdict(layer) for layer in layers])
    else:
        show(f"{headline(arguments.network, network, image_size)}\n\n{table(layers)}\n")
    return OK


def variants() -> list[dict[str, Any]]:
    """Return an entry for each variant of each network; parameters are at the published embedding size."""
    import torch

    from facenet.networks import NETWORKS, build

    entries = []
    for name, network in NETWORKS.items():
        for variant, description in network.variants.items():
            with torch.device("meta"):  # shapes without memory
                parameters = sum(p.numel() for p in build(name, variant=variant).parameters())
            entries.append(
                {
                    "network": name,
                    "variant": variant,
                    "description": description,
                    "image_size": network.published_image_size,
                    "min_image_size": network.min_image_size,
                    "embedding_size": network.published_embedding_size,
                    "parameters": parameters,
                }
            )
    return entries


def overview(entry: Mapping[str, Any]) -> str:
    """Return the line for an entry of `variants`."""
    sizes = f"{entry['image_size']} px (minimum {entry['min_image_size']})"
    return (
        f"{entry['network']}, variant {entry['variant']}: {entry['description']}; {sizes}, "
        f"{entry['parameters']:,} parameters at {entry['embedding_size']} dimensions"
    )


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
