"""Identification in galleries of growing size: its table, and the measurement for calibration.json."""

from collections.abc import Mapping
from pathlib import Path

from facenet.evaluation.distances import Metric
from facenet.identification.galleries import Galleries, GalleryPoint, measure_galleries
from facenet.identity import one_spelling
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import Cell, write_table

COLUMNS = (
    *("photos", "fpir_target", "threshold", "fpir_low", "fpir_high", "rank1", "rank1_low", "rank1_high"),
    *("tpir", "tpir_low", "tpir_high", "people", "probe_people", "probes", "supported"),
)


def report_galleries(
    evaluation: Evaluation, identities: Mapping[str, str], metric: Metric, *, reports: Path
) -> Galleries | None:
    """Write galleries.csv and return the measurement; None, and no rows, if it needs more people or photos.

    identities: the person of each photo, by image_id.
    """
    names = one_spelling(identities[image_id] for image_id in evaluation.image_ids)
    galleries = measure_galleries(evaluation.centred, names, metric, seed=evaluation.seed)
    points = () if galleries is None else galleries.points
    write_table(reports / "galleries.csv", COLUMNS, [_row(point, galleries) for point in points if galleries])
    return galleries


def _row(point: GalleryPoint, galleries: Galleries) -> tuple[Cell, ...]:
    return (
        *(point.photos, point.fpir_target, point.threshold, *point.fpir_interval),
        *(point.rank1, *point.rank1_interval, point.tpir, *point.tpir_interval),
        *(galleries.calibration.people, galleries.probe_people, galleries.probes, point.supported),
    )
