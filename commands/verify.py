"""`facenet verify`: whether two photos show the same person."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands.exit_codes import NO, OK
from commands.models import add_decision, add_model, evaluated, load_model, measured_rates
from commands.output import as_text, complain, printable, show, show_json
from commands.path_arguments import FILES, completed
from commands.photos import as_photo

if TYPE_CHECKING:
    from facenet import Verification

SIDES = ("left", "right")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet verify`."""
    parser.description = (
        "Say whether two photos show the same person, and how probable that is. Exit code 0: the same; 1: "
        "not the same, or a photo has no face that can be compared."
    )
    for side in SIDES:
        photo = "a photo, or - for standard input; of several faces the most central large one is compared"
        text = photo if side == "left" else "the other photo"
        completed(parser.add_argument(side, metavar=side.upper(), help=text), FILES)
    add_model(parser)
    add_decision(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer; return 0 for the same person, else 1.

    Raises:
        ParamsInvalid: no threshold was measured for --far.
        WeightsInvalid: the model is damaged, or was not evaluated.
        SourceInvalid: the registry has no such model.
    """
    model = load_model(arguments)
    evaluated(model)
    left, right = (as_photo(getattr(arguments, side)) for side in SIDES)
    with measured_rates():
        answer = model.verify(left, right, far=arguments.far, prior=arguments.prior)
    if arguments.json:
        paths = {f"{side}_path": as_text(getattr(arguments, side)) for side in SIDES}
        origin = {"model": as_text(model.origin), "digest": model.digest}
        show_json({**answer.to_dict(), **paths, **origin})
    elif answer.error:
        complain(f"no answer: {printable(answer.error)}")
    else:
        show(text(answer, arguments.left, arguments.right))
    return OK if answer.match else NO


def text(answer: Verification, left: str, right: str) -> str:
    """Return the answer for people: the decision, the distance, what was compared, and warnings."""
    decision, relation = ("same person", "below") if answer.match else ("different people", "not below")
    lines = [
        decision,
        f"  probability of the same person {answer.probability:.4f}",
        f"  distance {answer.distance:.4f}, {relation} the threshold {answer.threshold:.4f}",
    ]
    if answer.site is not None:
        lines.append(f"  by the site calibration {printable(answer.site)}")
    for side, path in (("left", left), ("right", right)):
        face = getattr(answer, side)
        if face.faces_found > 1:
            x0, y0, x1, y1 = (round(edge) for edge in face.box)
            place = f"the one at {x0} {y0} {x1} {y1} was compared"
            lines.append(f"  note: {printable(path)} shows {face.faces_found} faces; {place}")
    if not answer.supported:
        lines.append(f"  warning: {answer.reason}; threshold and probability may be far off")
    return "\n".join(lines) + "\n"
