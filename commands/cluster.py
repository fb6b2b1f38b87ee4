"""`facenet cluster`: sort photos of unknown people into one folder per person."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commands.exit_codes import NO, OK
from commands.models import FAR, add_model, evaluated, load_model, measured_rates
from commands.numbers import number_between
from commands.output import as_text, complain, progress, show, show_json
from commands.path_arguments import FOLDERS, add_photos, completed
from commands.photos import GROUP, as_photo, expanded, report_unusable
from facenet.errors import ParamsInvalid, StorageFailed

if TYPE_CHECKING:
    from facenet import Face, FaceModel
    from tasks.commands.photo_files import Argument

LARGEST = 10_000  # faces; their distances and what is computed of them take 2.5 GB
ALONE, NO_FACE, REPORT = "alone", "no-face", "clusters.csv"


@dataclass(frozen=True)
class Member:
    """A face of a photo. cluster: from 1, the largest first; 0 for a person with a single face."""

    path: str
    face: Face
    cluster: int


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet cluster`."""
    parser.description = (
        "Find out which photos show the same person, and link them into one folder per person: person-0001 "
        f"for the one with the most faces, {ALONE} for people with one face, {NO_FACE} for photos without. "
        f"{REPORT} lists every face. Exit code 1: a photo could not be read."
    )
    add_photos(parser)
    out = parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    completed(out, FOLDERS)
    parser.add_argument("--copy", action="store_true", help="copy the photos instead of linking to them")
    rate = number_between(0, 1, exclusive=True)
    parser.add_argument("--far", type=rate, metavar="RATE", help=FAR)
    least = "merge faces while their mean distance is below this (default: the threshold)"
    parser.add_argument("--distance", type=number_between(0, None), metavar="D", help=least)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print counts and the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Sort the photos and print how many people they show; return 1 if a photo could not be read.

    Raises:
        ParamsInvalid: the folder is not empty, there are too many faces, or --far has no threshold.
        WeightsInvalid: the model is damaged, or was not evaluated.
        StorageFailed: the folder cannot be written to.
    """
    photos = expanded(arguments.photos)
    _check_folder(arguments.out)
    model = load_model(arguments)
    with measured_rates():
        threshold = evaluated(model).threshold_at(arguments.far)
    faces, without, unusable = _faces(model, photos)
    if len(faces) > LARGEST:
        raise ParamsInvalid(
            f"The photos show {len(faces)} faces, more than {LARGEST}. Cluster them in parts."
        )
    members = clustered(model, faces, threshold if arguments.distance is None else arguments.distance)
    _write(arguments.out, members, without, copy=arguments.copy)
    people = len({member.cluster for member in members} - {0})
    alone = sum(member.cluster == 0 for member in members)
    if arguments.json:
        errors = [{"path": as_text(path), "error": str(error)} for path, error in unusable]
        counts = {"photos": len(photos), "faces": len(members), "people": people, "alone": alone}
        listed = [{**row(member), "box": list(member.face.box)} for member in members]
        show_json({"model": as_text(model.origin), **counts, "faces_listed": listed, "errors": errors})
    else:
        show(f"{len(members)} faces of {people} people, and {alone} with a single face: {arguments.out}\n")
        report_unusable(unusable, len(photos))
    return NO if unusable else OK


def _faces(
    model: FaceModel, photos: Sequence[Argument]
) -> tuple[list[tuple[str, Face]], list[str], list[tuple[str, object]]]:
    """Return every face with its photo, the photos without a face, and those that cannot be used."""
    faces: list[tuple[str, Face]] = []
    without: list[str] = []
    unusable: list[tuple[str, object]] = []
    with progress(len(photos), name="cluster") as bar:
        for start in range(0, len(photos), GROUP):
            group = photos[start : start + GROUP]
            answers = iter(model.faces_of([as_photo(photo.path) for photo in group if not photo.problem]))
            for photo in group:
                found = photo.problem or next(answers)
                if not isinstance(found, list):
                    unusable.append((photo.path, found))
                elif not found:
                    without.append(photo.path)
                else:
                    faces += [(photo.path, face) for face in found]
                bar.update()
    return faces, without, unusable


def clustered(model: FaceModel, faces: Sequence[tuple[str, Face]], distance: float) -> list[Member]:
    """Return the faces with their clusters, largest clusters first, faces in the order given.

    Clusters are merged while the mean of the model's distances between their faces is below `distance`.
    """
    import numpy as np

    from facenet.identification.clustering import cluster_distances

    if not faces:
        return []
    templates = np.stack([face.template for _, face in faces if face.template is not None])
    distances = evaluated(model).template_distances(templates, templates)
    labels = cluster_distances(distances, distance).tolist()
    sizes = Counter(labels)
    first = {label: labels.index(label) for label in sizes}
    order = sorted(sizes, key=lambda label: (-sizes[label], first[label]))
    numbers = {label: number + 1 if sizes[label] > 1 else 0 for number, label in enumerate(order)}
    members = [Member(path, face, numbers[label]) for (path, face), label in zip(faces, labels, strict=True)]
    return sorted(members, key=lambda member: member.cluster or len(faces) + 1)


def row(member: Member) -> dict[str, object]:
    """Return the row of a face in the report, without its box."""
    return {
        "path": as_text(member.path),
        "folder": _folder(member.cluster),
        "probability": round(member.face.probability, 6),
    }


def _folder(cluster: int) -> str:
    return f"person-{cluster:04d}" if cluster else ALONE


def _check_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise ParamsInvalid(f"--out: {out} is not empty. Name a new folder.")
    except OSError as error:
        raise ParamsInvalid(f"--out: cannot create {out}: {error.strerror}. Name another folder.") from error


def _write(out: Path, members: Sequence[Member], without: Sequence[str], *, copy: bool) -> None:
    """Link or copy each photo into the folders of its people, and write the report."""
    import csv  # imported late, as what they import takes longer than the rest of the command
    import io
    import shutil

    from facenet.atomic import write_text

    places = [(_folder(member.cluster), member.path) for member in members]
    places += [(NO_FACE, path) for path in without]
    taken: Counter[str] = Counter()
    for folder, path in dict.fromkeys(places):  # a photo with two faces of one cluster is there once
        if path == "-":
            continue
        target = out / folder / Path(path).name
        taken[str(target)] += 1
        if taken[str(target)] > 1:  # photos of different folders with one name
            target = target.with_stem(f"{target.stem}-{taken[str(target)]}")
        target.parent.mkdir(exist_ok=True)
        try:
            shutil.copyfile(path, target) if copy else target.symlink_to(os.path.realpath(path))
        except OSError as error:
            raise StorageFailed(f"{target} cannot be written: {error.strerror}. Try --copy.") from error
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "folder", "probability", "x0", "y0", "x1", "y1"])
    for member in members:
        writer.writerow([*row(member).values(), *(round(edge, 2) for edge in member.face.box)])
    write_text(out / REPORT, text.getvalue())
    if any(path == "-" for _, path in places):
        complain("note: the photo from standard input is in the report, and in no folder")
