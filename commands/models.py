"""The options that choose a model and how strict it is, and the model that they choose."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from commands.numbers import number_between
from commands.output import printable
from commands.path_arguments import FOLDERS, completed
from facenet.errors import ParamsInvalid, WeightsInvalid

if TYPE_CHECKING:
    from facenet import FaceModel
    from facenet.matching import Matcher

MODEL = (
    "models:/NAME@ALIAS, models:/NAME/VERSION, a folder with a model, or pretrained (default: the champion, "
    "without one the workspace's models/, without that pretrained)"
)
RUNTIME = "that runs the embedding network; onnx needs the extra `export` (default: torch)"
FAR = "decide at the threshold measured for this false accept rate (default: the model's own threshold)"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add --model, --device and --runtime."""
    completed(parser.add_argument("--model", metavar="MODEL", help=MODEL), FOLDERS)
    parser.add_argument("--device", default="auto", help="auto, cpu, mps or cuda (default: auto)")
    parser.add_argument("--runtime", choices=("torch", "onnx", "openvino"), default="torch", help=RUNTIME)


def add_decision(parser: argparse.ArgumentParser) -> None:
    """Add --far and --prior."""
    rate = number_between(0, 1, exclusive=True)
    parser.add_argument("--far", type=rate, metavar="RATE", help=FAR)
    prior = "fraction of such comparisons that are the same person, for the probability (default: 0.5)"
    parser.add_argument("--prior", type=rate, default=0.5, metavar="P", help=prior)


def load_model(arguments: argparse.Namespace) -> FaceModel:
    """Return the model that the options choose, and say on standard error which it is.

    Raises:
        SourceInvalid: the registry has no such version, or cannot be used.
        WeightsInvalid: a file of the model is missing or damaged.
        ParamsInvalid: the device is not available.
    """
    from facenet import FaceModel  # imported late: torch takes seconds, and `--help` does not need it

    model = FaceModel.load(arguments.model, device=arguments.device, runtime=arguments.runtime)
    sys.stderr.write(f"model: {printable(model.origin)}\n")
    sys.stderr.flush()
    return model


def evaluated(model: FaceModel) -> Matcher:
    """Return the calibration of a model.

    Raises:
        WeightsInvalid: it has none, so that its faces cannot be compared.
    """
    if model.matcher is None:
        raise WeightsInvalid(
            f"The model {model.origin} was not evaluated and cannot compare faces. Run `dvc repro evaluate`, "
            "or choose another one: --model pretrained."
        )
    return model.matcher


@contextmanager
def measured_rates() -> Iterator[None]:
    """Report a false accept rate without a measured threshold as an error of --far.

    Raises:
        ParamsInvalid: instead of a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise ParamsInvalid(f"--far: {error}.") from error
