"""`facenet identify`: who of the enrolled people the faces in photos show."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.galleries import add_gallery, gallery_of
from commands.models import add_model, evaluated, load_model
from commands.numbers import number_between
from commands.output import as_text, complain, json_list, lines, printable, progress
from commands.path_arguments import add_photos
from commands.photos import GROUP, as_photo, expanded
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from facenet import Face, FaceModel, PhotoError
    from facenet.identification.identifier import Identification
    from service.gallery import Gallery
    from tasks.commands.photo_files import Argument

FPIR = (
    "name somebody only if unknown people are named at most at this rate, as measured by the evaluation "
    "(default: name the best match if it is more probable than not)"
)
METHODS = ("nearest_neighbour", "mean", "linear_svm")
METHOD = (
    "how the best match is chosen: by the nearest photo, the mean of a person's photos, or a linear SVM "
    "(default: nearest_neighbour)"
)
JSON = "print a JSON list of {path, faces} or {path, error}"
Found = list[tuple["Face", "Identification"]]


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet identify`."""
    parser.description = (
        "Say for every face in the photos which enrolled person it shows, or nobody. Exit code 0: every "
        "photo shows somebody who is enrolled; 1: a photo shows nobody, or cannot be read."
    )
    add_photos(parser)
    rate = number_between(0, 1, exclusive=True)
    parser.add_argument("--fpir", type=rate, metavar="RATE", help=FPIR)
    prior = "probability that a face is of an enrolled person, before looking (default: 0.5)"
    parser.add_argument("--prior", type=rate, default=0.5, metavar="P", help=prior)
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help=METHOD)
    add_gallery(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help=JSON)


def run(arguments: argparse.Namespace) -> int:
    """Print who the faces show; return 1 if a photo shows nobody who is enrolled.

    Raises:
        ParamsInvalid: the model has no threshold for --fpir.
        ModelDiffers: the gallery has templates of another model.
        WeightsInvalid: the model is damaged, or was not evaluated.
        StoreFailed: the gallery cannot be read.
    """
    photos = expanded(arguments.photos)
    model = load_model(arguments)
    if model.site is not None:
        complain("note: faces are identified by the evaluation's thresholds, not by the site calibration")
    nobody = 0
    with gallery_of(arguments, model) as gallery:
        if not len(gallery.snapshot()):
            complain(f"note: nobody is enrolled in {gallery}; enrol somebody: facenet enrol NAME PHOTO")
        with (
            progress(len(photos), name="identify") as bar,
            json_list() if arguments.json else lines() as entry,
        ):
            for start in range(0, len(photos), GROUP):
                group = photos[start : start + GROUP]
                for photo, found in zip(group, identified(model, gallery, group, arguments), strict=True):
                    entry(as_json(photo.path, found) if arguments.json else text(photo.path, found))
                    nobody += isinstance(found, str) or not any(answer.name for _, answer in found)
                    bar.update()
    return NO if nobody else OK


def identified(
    model: FaceModel, gallery: Gallery, photos: Sequence[Argument], arguments: argparse.Namespace
) -> list[Found | str]:
    """Return for each photo its faces, each with who it shows, or why the photo cannot be used.

    Raises:
        ParamsInvalid: the model has no threshold for --fpir, or a linear SVM has fewer than two people.
    """
    from service.recognition import recognise

    readable = [as_photo(photo.path) for photo in photos if not photo.problem]
    answers = iter(model.faces_of(readable))
    found: list[list[Face] | PhotoError | str] = [photo.problem or next(answers) for photo in photos]
    faces = [face for entry in found if isinstance(entry, list) for face in entry]
    try:
        options = {"fpir": arguments.fpir, "prior": arguments.prior, "method": arguments.method}
        who = iter(recognise(gallery, evaluated(model), faces, **options))
    except ValueError as error:
        raise ParamsInvalid(f"--fpir: {error}.") from error
    return [
        [(face, next(who)) for face in entry] if isinstance(entry, list) else str(entry) for entry in found
    ]


def as_json(path: str, found: Found | str) -> dict[str, Any]:
    """Return {path, faces: [{name, best, probability, ..., face}]}, or {path, error}."""
    if isinstance(found, str):
        return {"path": as_text(path), "error": as_text(found)}
    faces = [{**answer.to_dict(), "face": face.to_dict(vectors=False)} for face, answer in found]
    return {"path": as_text(path), "faces": faces}


def text(path: str, found: Found | str) -> str:
    """Return the photo, and a line for each of its faces with name, probability, distance and place."""
    name = printable(path)
    if isinstance(found, str):
        return f"{name}: {printable(found)}\n"
    shown = [f"{name}: {'no face' if not found else '1 face' if len(found) == 1 else f'{len(found)} faces'}"]
    reasons = []
    for face, answer in found:
        x0, y0, x1, y1 = (round(edge) for edge in face.box)
        who = printable(answer.name or "unknown")
        if answer.best is not None:
            who += f"  probability {answer.probability:.4f}, distance {answer.distance:.4f}"
            who += "" if answer.name else f" to {printable(answer.best)}, the most similar"
        shown.append(f"  {who}  at {x0} {y0} {x1} {y1}")
        reasons += [answer.reason] if answer.reason and answer.best else []
    shown += [f"  warning: {reason}; probabilities may be far off" for reason in dict.fromkeys(reasons)]
    return "\n".join(shown) + "\n"
