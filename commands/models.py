"""The options that choose a model and how strict it is, and the model that they choose."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from commands.numbers import number_between
from commands.output import printable
from commands.path_arguments import FILES, FOLDERS, completed
from facenet.errors import ParamsInvalid, WeightsInvalid

if TYPE_CHECKING:
    from facenet import FaceModel
    from facenet.matching import Matcher

MODEL = (
    "models:/NAME@ALIAS, models:/NAME/VERSION, a folder with a model, or pretrained (default: the champion, "
    "without one the workspace's models/, without that pretrained)"
)
RUNTIMES = ("auto", "torch", "onnx", "openvino")
RUNTIME = "of the embedding network; auto: OpenVINO if the extra `export` is installed, else torch"
SITE = (
    "file of a site calibration by `facenet calibrate`, or none to ignore the one stored with the model "
    "(default: that one, if any)"
)
FAR = "decide at the threshold measured for this false accept rate (default: the model's own threshold)"


def add_model(parser: argparse.ArgumentParser, *, site: bool = True) -> None:
    """Add --model, --device, --runtime, and --site unless the command never uses a site calibration."""
    completed(parser.add_argument("--model", metavar="MODEL", help=MODEL), FOLDERS)
    if site:
        completed(parser.add_argument("--site", metavar="FILE", help=SITE), FILES)
    else:
        parser.set_defaults(site="none")
    parser.add_argument("--device", default="auto", help="auto, cpu, mps or cuda (default: auto)")
    parser.add_argument("--runtime", choices=RUNTIMES, default="torch", help=f"{RUNTIME} (default: torch)")


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
        WeightsInvalid: a file of the model is missing or damaged, or --site belongs to another model.
        ParamsInvalid: the device is not available.
    """
    from facenet import FaceModel  # imported late: torch takes seconds, and `--help` does not need it

    options = {"device": arguments.device, "runtime": arguments.runtime}
    model = FaceModel.load(arguments.model, site=site_of(arguments.site), **options)
    sys.stderr.write(f"model: {printable(model.origin)}\n")
    if model.site is not None:
        sys.stderr.write(f"site calibration: {printable(str(model.site))}\n")
    sys.stderr.flush()
    return model


def site_of(value: str | None) -> str | bool:
    """Return the argument `site` of FaceModel.load that a value of --site means."""
    return True if value is None else value != "none" and value


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
