"""`facenet compare`: all pairs of several photos, as a matrix."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.models import add_decision, add_model, evaluated, load_model, measured_rates
from commands.output import as_text, complain, printable, show, show_json
from commands.path_arguments import add_photos
from commands.photos import embedded, expanded, report_unusable
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facenet import FaceModel

LARGEST = 2000  # photos; their matrix has 4 million entries
COLUMNS = 20  # photos whose matrix is printed; more are listed as pairs


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet compare`."""
    parser.description = (
        "Compare each of several photos with each other, and print the probabilities that they show the same "
        f"person. Up to {COLUMNS} photos are a matrix, of more the matching pairs are listed. Exit code 1: a "
        "photo has no face that can be compared."
    )
    add_photos(parser)
    add_model(parser)
    add_decision(parser)
    parser.add_argument("--json", action="store_true", help="print photos, distances, probabilities, matches")


def run(arguments: argparse.Namespace) -> int:
    """Print the matrix; return 1 if a photo could not be used.

    Raises:
        ParamsInvalid: fewer than two or too many photos, or no threshold was measured for --far.
        WeightsInvalid: the model is damaged, or was not evaluated.
        SourceInvalid: the registry has no such model.
    """
    photos = expanded(arguments.photos)
    if not 2 <= len(photos) <= LARGEST:
        raise ParamsInvalid(f"{len(photos)} photos were named. Name 2 to {LARGEST} photos, or their folder.")
    model = load_model(arguments)
    matcher = evaluated(model)
    with measured_rates():
        threshold, reason = matcher.threshold_at(arguments.far), matcher.shortage(arguments.far)
    answers = list(embedded(model, photos))
    unusable = [(photo.path, face) for photo, face in answers if not hasattr(face, "template")]
    usable = [(photo.path, face) for photo, face in answers if hasattr(face, "template")]
    matrices = _matrices(model, [face for _, face in usable], threshold, arguments.prior)
    paths = [path for path, _ in usable]
    if arguments.json:
        show_json(
            {
                "model": as_text(model.origin),
                "digest": model.digest,
                "threshold": threshold,
                "supported": reason is None,
                "reason": reason,
                "photos": [as_text(path) for path in paths],
                **{name: matrix.tolist() for name, matrix in matrices.items()},
                "errors": [{"path": as_text(path), "error": str(error)} for path, error in unusable],
            }
        )
    else:
        show(text(paths, matrices["probabilities"], matrices["matches"]))
        if reason:
            complain(f"warning: {reason}; threshold and probabilities may be far off")
        report_unusable(unusable, len(photos))
    return NO if unusable else OK


def _matrices(
    model: FaceModel, faces: Sequence[Any], threshold: float, prior: float
) -> dict[str, NDArray[np.generic]]:
    """Return the (N, N) distances, probabilities and matches of N faces."""
    import numpy as np

    matcher = evaluated(model)
    if not faces:
        return {name: np.zeros((0, 0)) for name in ("distances", "probabilities", "matches")}
    templates = np.stack([face.template for face in faces])
    left, right = np.triu_indices(len(templates))
    distances = np.zeros((len(templates), len(templates)))
    distances[left, right] = matcher.template_pairs(templates[left], templates[right])
    distances[right, left] = distances[left, right]
    return {
        "distances": distances,
        "probabilities": matcher.probability(distances, prior),
        "matches": distances < threshold,
    }


def text(paths: Sequence[str], probabilities: NDArray[np.generic], matches: NDArray[np.generic]) -> str:
    """Return the matrix for people, or the matching pairs of many photos; a match has an asterisk."""
    names = [printable(path) for path in paths]
    if len(names) > COLUMNS:
        pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names)) if matches[i, j]]
        lines = [f"{probabilities[i, j]:.4f}  {names[i]}  {names[j]}" for i, j in pairs]
        return "\n".join([*lines, f"{len(pairs)} of {len(names) * (len(names) - 1) // 2} pairs match"]) + "\n"
    width = max(map(len, names), default=0)
    head = " " * (width + 4) + "".join(f"{number + 1:>9}" for number in range(len(names)))
    rows = [
        f"{i + 1:>2}  {name:<{width}}"
        + "".join(_cell(i, j, probabilities, matches) for j in range(len(names)))
        for i, name in enumerate(names)
    ]
    return "\n".join([head, *(row.rstrip() for row in rows), "*  same person"]) + "\n"


def _cell(i: int, j: int, probabilities: Any, matches: Any) -> str:
    mark = "*" if matches[i, j] else " "
    return f"{'-':>8} " if i == j else f"{probabilities[i, j]:>8.4f}{mark}"
