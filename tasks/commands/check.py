"""Check what only a late stage would otherwise refuse, after hours of work on the photos.

Usage: `python -m tasks.commands.check`. Ingest, align and the training flow call it before they start. It
checks params.yaml, the folders that the stages write to, the device, the network with its weights and frozen
layers, the loss, the schedule and the MLflow store.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from facenet.errors import FaceNetError, ParamsInvalid
from tasks import paths
from tasks.entry import CheckFailed, stage_main
from tasks.params import Params, load_params

if TYPE_CHECKING:
    from facenet.networks import EmbeddingNetwork

PEOPLE = 10  # of the loss that is built; any number of at least two


def check(params: Params) -> None:
    """Run all checks.

    Raises:
        CheckFailed: at least one failed; the message lists all that did.
    """
    problems = list(dict.fromkeys(_problems(params)))  # a wrong network fails two checks with one message
    if problems:
        raise CheckFailed("\n".join(["The pipeline would fail later:", *(f"* {text}" for text in problems)]))


def _problems(params: Params) -> Iterator[str]:
    checks: tuple[Callable[[Params], None], ...] = (
        _places,
        _store,
        _crop,
        _device,
        _network,
        _loss,
        _schedule,
    )
    for run in checks:
        try:
            run(params)
        except FaceNetError as error:
            yield str(error)


def _places(_: Params) -> None:
    for folder in (paths.DATA, paths.MODELS, paths.REPORTS):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".tmp-check-"):
                pass
        except FileExistsError:
            raise ParamsInvalid(f"{folder} is a file, and a folder is needed there: move it away.") from None
        except OSError as error:
            raise ParamsInvalid(
                f"{folder} cannot be written to: {error.strerror}. Make it writable, or work in a copy."
            ) from error


def _store(_: Params) -> None:
    from tasks.tracking.store import check_database

    check_database()


def _crop(params: Params) -> None:
    from facenet.detection.crop import CropSettings

    align = params.align
    CropSettings(align.method, align.image_size, align.margin, align.margin_in, align.template)


def _device(params: Params) -> None:
    from facenet.devices import resolve_device, resolve_precision

    device = resolve_device(params.base.device)
    if (
        params.train.epochs
        and device.type == "cpu"
        and resolve_precision(params.base.precision, device) == "fp16"
    ):
        raise ParamsInvalid("A CPU cannot train in fp16. Set base.precision to auto, bf16 or fp32.")


def _network(params: Params) -> None:
    """Build the network, without memory for its weights unless train.init has some to load."""
    from facenet.training import freeze_to
    from tasks.train.build import build_network
    from tasks.train.init import find_init

    freeze_to(_without_weights(params), params.train.freeze_to)
    if params.train.init:
        build_network(params.train, init=find_init(params.train.init), seed=params.base.seed)


def _loss(params: Params) -> None:
    from tasks.train.build import build_loss

    listed = params.pairs_as_listed or params.triplets_as_listed
    normalised = _without_weights(params).normalised
    build_loss(params.train, classes=PEOPLE, listed=listed, normalised=normalised)


def _without_weights(params: Params) -> "EmbeddingNetwork":
    """Return the network with tensors that have shapes but no memory."""
    import torch

    from tasks.train.build import build_network

    with torch.device("meta"):
        return build_network(params.train, init=None, seed=params.base.seed)


def _schedule(params: Params) -> None:
    from tasks.train.build import build_schedule

    build_schedule(params.train, steps_per_epoch=1)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; it prints nothing if all is well."""
    argparse.ArgumentParser(
        prog="python -m tasks.commands.check",
        description="Check params.yaml and this machine for what a late stage would refuse.",
    ).parse_args(arguments)
    check(load_params())


if __name__ == "__main__":
    stage_main(main)
