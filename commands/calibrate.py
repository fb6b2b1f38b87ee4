"""`facenet calibrate`: a threshold for a false accept rate, measured on a folder of the user's own people."""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commands.exit_codes import OK
from commands.models import add_model, load_model
from commands.numbers import number_between
from commands.output import complain, printable, progress, show, show_json
from commands.path_arguments import FILES, FOLDERS, completed
from commands.people_folders import people_of, read_people
from commands.site_plot import SUFFIXES, draw_site
from commands.site_storage import check_place, store
from commands.site_text import as_json, rejections, text
from facenet.errors import DataInvalid, ParamsInvalid, WeightsInvalid

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facenet import Face, FaceModel, PhotoError
    from facenet.site_calibration.measurement import SiteMeasurement

LISTED = 20  # rejected photos that are named on standard error; --json has all


@dataclass(frozen=True)
class Photo:
    """A photo of a person, the sha256 of its file, and the face in it or why there is none."""

    owner: str
    path: str
    digest: str
    face: Face | PhotoError


@dataclass(frozen=True)
class People:
    """The usable photos. paths, templates, owners: one for each. rejected: path and reason of the others."""

    paths: list[str]
    templates: list[npt.NDArray[np.float32]]
    owners: list[str]
    rejected: list[tuple[str, str]]


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet calibrate`."""
    parser.description = (
        "Measure the threshold for a false accept rate (FAR), and the probability curve, on photos of your "
        "own people: a folder with a folder per person. Says where the FAR will lie for other people, how "
        "the evaluation of the model differs, and how many more people the claim needs. Other commands use "
        "the result with --site, or because it is stored with the model; nothing is trained. Photos that "
        "cannot be used, or show several faces, are counted."
    )
    folder = parser.add_argument("folder", type=Path, metavar="DIR", help="a folder with a folder per person")
    completed(folder, FOLDERS)
    rate = number_between(0, 1, exclusive=True)
    parser.add_argument("--far", type=rate, default=0.01, metavar="RATE", help="the target (default: 0.01)")
    parser.add_argument("--name", metavar="NAME", help="of the site (default: that of the folder)")
    out = parser.add_argument("--out", type=Path, metavar="FILE", help="write the site calibration as JSON")
    plot = "draw distances, curves and rates (.png or .svg); needs the extra `pipeline`"
    drawn = parser.add_argument("--plot", type=Path, metavar="FILE", help=plot)
    for action in (out, drawn):
        completed(action, FILES)
    stored = "store it with the model: in its folder, or with its version in the registry"
    parser.add_argument("--store", action="store_true", help=stored)
    add_model(parser, site=False)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure, write and print the site calibration.

    Raises:
        ParamsInvalid: the folder has no folders, or the model cannot be stored with.
        DataInvalid: there are too few people with a usable photo.
        WeightsInvalid: the model is damaged, or was not evaluated.
        SourceInvalid: the registry has no such model.
        StorageFailed: a file cannot be written.
    """
    if arguments.plot is not None and arguments.plot.suffix.lower() not in SUFFIXES:
        raise ParamsInvalid(f"--plot: {arguments.plot} must end in {' or '.join(SUFFIXES)}.")
    people = people_of(arguments.folder, option="DIR")
    if arguments.store:
        check_place(arguments.model)
    model = load_model(arguments)
    if model.evaluation is None:
        raise WeightsInvalid(
            f"The model {model.origin} was not evaluated and cannot compare faces. Run `dvc repro evaluate`, "
            "or choose another one: --model pretrained."
        )
    names = [name for name, _ in people]
    with progress(sum(len(photos) for _, photos in people), name="calibrate") as bar:
        found = usable(
            [
                Photo(name, path, hashlib.sha256(data).hexdigest(), face)
                for name, photos in read_people(model, people, bar)
                for path, data, face in photos
            ]
        )
    measured = measurement(model, found, arguments)
    stored = written(arguments, model, measured)
    alike = look_alikes_of(model, found)
    if arguments.json:
        show_json(as_json(measured, model, found.rejected, alike, stored))
    else:
        show(text(measured, rejections(Counter(reason for _, reason in found.rejected))))
        for name in [name for name in names if name not in set(found.owners)]:
            complain(f"{printable(name)}: no usable photo")
        for path, reason in found.rejected[:LISTED]:
            complain(f"{printable(path)}: {reason}")
        if len(found.rejected) > LISTED:
            complain(f"{len(found.rejected) - LISTED} more photos were rejected; --json lists all.")
        for left, right, probability in alike:
            paths = f"{printable(left)} and {printable(right)}"
            complain(f"note: {paths} look like one person ({probability:.4f}); is one in the wrong folder?")
        for place in stored:
            show(f"written: {printable(place)}\n")
    return OK


def usable(photos: Sequence[Photo]) -> People:
    """Return the photos with exactly one face; of equal files one, and none if they are of two people."""
    from facenet import PhotoError

    owners: dict[str, set[str]] = {}
    for photo in photos:
        owners.setdefault(photo.digest, set()).add(photo.owner)
    found, seen = People([], [], [], []), set[str]()
    for photo in photos:
        reason, face = "", photo.face
        if isinstance(face, PhotoError):
            reason = face.reason
        elif face.faces_found > 1:
            reason = "several_faces"
        elif len(owners[photo.digest]) > 1:
            reason = "of_two_people"
        elif photo.digest in seen:
            reason = "duplicate"
        if isinstance(face, PhotoError) or face.template is None or reason:
            found.rejected.append((photo.path, reason))
            continue
        seen.add(photo.digest)
        found.paths.append(photo.path)
        found.templates.append(face.template)
        found.owners.append(photo.owner)
    return found


def measurement(model: FaceModel, found: People, arguments: argparse.Namespace) -> SiteMeasurement:
    """Return the measurement on the usable photos.

    Raises:
        DataInvalid: there are too few people.
    """
    import numpy as np

    from facenet.site_calibration.measurement import measure_site

    assert model.evaluation is not None
    try:
        return measure_site(
            np.stack(found.templates) if found.templates else np.zeros((0, model.template_size), np.float32),
            found.owners,
            model.evaluation,
            far=arguments.far,
            name=arguments.name or arguments.folder.resolve().name,
            model_digest=model.digest,
        )
    except DataInvalid as error:
        counted = rejections(Counter(reason for _, reason in found.rejected))
        raise DataInvalid(
            f"{arguments.folder}: {error}{f' Not used: {counted}.' if counted else ''}"
        ) from error


def look_alikes_of(model: FaceModel, found: People) -> list[tuple[str, str, float]]:
    """Return the paths of photos of two people that look like one, and the probability that they are."""
    import numpy as np

    from facenet.site_calibration.look_alikes import look_alikes

    assert model.evaluation is not None
    pairs = look_alikes(np.stack(found.templates), found.owners, model.evaluation)
    return [(found.paths[pair.left], found.paths[pair.right], pair.probability) for pair in pairs]


def written(arguments: argparse.Namespace, model: FaceModel, measured: SiteMeasurement) -> list[str]:
    """Write what was asked for; return the places."""
    places = []
    if arguments.plot is not None:
        draw_site(arguments.plot, measured)
        places.append(str(arguments.plot))
    if arguments.out is not None:
        measured.calibration.write(arguments.out)
        places.append(str(arguments.out))
    if arguments.store:
        places.append(store(arguments.model, model, measured.calibration))
    return places
