"""Evaluated people and photos that the network may have trained on: by name, by digest, by likeness."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from facenet.evaluation.near_duplicates import nearest, pixel_similarity
from facenet.identity import fold_name
from tasks.evaluate.embedding_cache import face_digests
from tasks.evaluate.photo_embedder import PhotoEmbedder
from tasks.evaluate.pictures import DPI, save
from tasks.evaluate.result import Evaluated
from tasks.evaluate.tables import write_table
from tasks.evaluate.work import find_locations, read_locations
from tasks.params.evaluate import EvaluateParams

COLUMNS = ("found_by", "evaluated", "trained", "evaluated_photo", "trained_photo", "cosine", "pixels")
# Of pixel_similarity, above which two faces are one photo, encoded or cut anew. Measured on LFW: 110 photos
# encoded at JPEG 70 have 0.93 to 1, faces of strangers 0.86 at most; on ORL strangers have 0.88 at most.
SAME_PICTURE = 0.92
SHOWN = 12  # suspects in the picture
COMPARED = 1000  # suspects by embedding whose pixels are compared, the most alike first

Identities = Mapping[str, str]  # by image_id

logger = logging.getLogger(__name__)


class Leak(NamedTuple):
    """An evaluated person or photo and its counterpart in training."""

    found_by: str  # name, digest or similarity
    evaluated: str
    trained: str
    evaluated_photo: str = ""
    trained_photo: str = ""
    cosine: float | None = None
    pixels: float | None = None


def report_leaks(
    evaluated: Evaluated,
    identities: Identities,
    trained: list[str],
    shared: list[str],
    params: EvaluateParams,
    embedder: PhotoEmbedder,
    aligned: Path,
    reports: Path,
) -> dict[str, Any]:
    """Write leaks.csv and leaks.png and return the metrics.

    Args:
        evaluated: its scored pairs are looked at.
        identities: of every stored photo, by image_id.
        trained: the photos that trained.
        shared: evaluated people whose folded names are among those who trained.
        params: leak_similarity and leak_photos.
        embedder: embeds the training photos.
        aligned: the folder of the face table.
        reports: the folder to write to.
    """
    scored = evaluated.pairs.usable[evaluated.scored]
    ours = sorted({*scored["left"], *scored["right"]})
    leaks = _named(shared, ours, trained, identities)
    equal = _equal(ours, trained, identities, aligned)
    leaks += equal
    known = {leak.evaluated_photo for leak in equal}
    rest = sorted(set(trained) - set(ours))
    compared = rest[:: -(-len(rest) // params.leak_photos)] if rest and params.leak_photos else []
    alike = _alike(
        [photo for photo in ours if photo not in known],
        compared,
        evaluated,
        identities,
        params,
        embedder,
        aligned,
    )
    leaks += alike
    write_table(reports / "leaks.csv", COLUMNS, leaks)
    pictured = [leak for leak in leaks if leak.evaluated_photo and leak.trained_photo]
    pictured.sort(key=lambda leak: leak.found_by == "name")  # photos that leak tell more, and come first
    _draw(reports / "leaks.png", pictured[:SHOWN], aligned)
    if equal or alike:
        logger.warning("%d EVALUATED PHOTOS WERE TRAINED ON: see reports/leaks.csv", len(equal) + len(alike))
    return {
        "leaked_names": len(shared),
        "leaked_photos_equal": len(equal),
        "leaked_photos_alike": len(alike),
        "leak_photos_compared": len(compared),
        "leak_photos_trained": len(rest),
    }


def _named(shared: list[str], ours: list[str], theirs: list[str], identities: Identities) -> list[Leak]:
    """Return the evaluated people who trained, each with the first photo of either side, if it has a face."""
    first, trained = (
        {fold_name(identities[photo]): photo for photo in reversed(photos)} for photos in (ours, theirs)
    )
    leaks = []
    for name in shared:
        key = fold_name(name)
        photo = trained.get(key, "")
        leaks.append(Leak("name", name, identities.get(photo, key), first.get(key, ""), photo))
    return leaks


def _equal(ours: list[str], theirs: list[str], identities: Identities, aligned: Path) -> list[Leak]:
    """Return the evaluated photos whose file, or whose stored face, is one of training."""
    if not theirs:
        return []
    places = find_locations(aligned, {*ours, *theirs})
    digests = {p.image_id: d for p, d in zip(places, face_digests(aligned, places), strict=True)}
    by_digest = {digests[image_id]: image_id for image_id in reversed(theirs)}
    by_digest |= {digests[image_id]: image_id for image_id in theirs if image_id in set(ours)}
    found = [(photo, by_digest[digests[photo]]) for photo in ours if digests[photo] in by_digest]
    return [Leak("digest", identities[a], identities[b], a, b, 1.0, 1.0) for a, b in found]


def _alike(
    ours: list[str],
    theirs: list[str],
    evaluated: Evaluated,
    identities: Identities,
    params: EvaluateParams,
    embedder: PhotoEmbedder,
    aligned: Path,
) -> list[Leak]:
    """Return the evaluated photos whose nearest of training is the same picture, the most alike first."""
    if not ours or not theirs:
        return []
    others, _ = embedder.embed(theirs, mirrored=False)
    row_of = {image_id: row for row, image_id in enumerate(evaluated.image_ids)}
    faces = evaluated.faces[[row_of[photo] for photo in ours]]
    places, cosines = nearest(faces, others.faces)
    order = [
        int(row) for row in np.argsort(-cosines, kind="stable") if cosines[row] >= params.leak_similarity
    ]
    suspects = [(ours[row], others.image_ids[places[row]], float(cosines[row])) for row in order[:COMPARED]]
    pixels = _pixels(aligned, {photo for a, b, _ in suspects for photo in (a, b)})
    judged = [(a, b, cosine, pixel_similarity(pixels[a], pixels[b])) for a, b, cosine in suspects]
    return [
        Leak("similarity", identities[a], identities[b], a, b, cosine, alike)
        for a, b, cosine, alike in judged
        if alike >= SAME_PICTURE
    ]


def _pixels(aligned: Path, photos: set[str]) -> dict[str, Any]:
    places = find_locations(aligned, photos)
    return dict(zip((p.image_id for p in places), read_locations(aligned, places), strict=True))


def _draw(path: Path, leaks: list[Leak], aligned: Path) -> None:
    """Draw suspects beside the photos of training that they are like; says so if there are none."""
    columns = 4
    lines = max(1, -(-len(leaks) // columns))
    figure = Figure(figsize=(11, 1 + 2.2 * lines), dpi=DPI, layout="constrained")
    figure.suptitle("Evaluated people and photos that trained" + ("" if leaks else ": none found"))
    pixels = _pixels(
        aligned, {photo for leak in leaks for photo in (leak.evaluated_photo, leak.trained_photo)}
    )
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, leak in zip(grid, leaks, strict=False):
        axes.imshow(np.concatenate([pixels[leak.evaluated_photo], pixels[leak.trained_photo]], axis=1))
        how = leak.found_by if leak.cosine is None else f"{leak.found_by}, cosine {leak.cosine:.3f}"
        title = f"{leak.evaluated[:22]} | {leak.trained[:22]}\n{how}"
        axes.set_title(title, fontsize=8, parse_math=False)
    save(figure, path)
