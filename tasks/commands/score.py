"""`python -m tasks.commands.score`: embed every photo of a folder or a Parquet file into a Parquet file."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from facenet.atomic import atomic_path
from facenet.errors import SourceInvalid
from tasks.commands.photo_files import Argument, Unreadable, expand, read
from tasks.entry import stage_main
from tasks.monitoring.background import logging_decisions
from tasks.reports import write_report

BATCH = 64  # photos in memory at once, and per row group
SITE = "batch"  # in the decision log: photos of an archive are not those of a camera
PROGRESS_SECONDS = 10.0
NAMES = ("id", "path", "image_id", "name")  # columns that may name the photos of a Parquet file
SCORES = pa.schema(
    [
        ("id", pa.string()),
        ("embedding", pa.list_(pa.float32())),
        ("box", pa.list_(pa.float32())),
        ("probability", pa.float32()),
        ("faces_found", pa.int32()),
        ("fallback", pa.bool_()),
        ("model", pa.string()),
        ("version", pa.int32()),
    ]
)
REJECTS = pa.schema([("id", pa.string()), ("reason", pa.string())])

if TYPE_CHECKING:
    from tasks.monitoring.rows import DecisionRow

Photo = tuple[str, bytes | str]  # id, and the bytes of its file or the reason why there are none


def main(arguments: Sequence[str] | None = None) -> None:
    """Score what the command line names, and write the summary as a report."""
    options = parse(arguments)
    summary = score(options.photos, options.out, model=options.model, device=options.device)
    write_report(options.out.with_suffix(".json"), summary)
    sys.stdout.write(json.dumps(summary, allow_nan=False) + "\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `photos`, `out`, `model` and `device`."""
    parser = argparse.ArgumentParser(prog="python -m tasks.commands.score", description=__doc__)
    source = "a folder, or a Parquet file with a column `image` of bytes and one of " + ", ".join(NAMES)
    parser.add_argument("photos", type=Path, help=source)
    parser.add_argument(
        "out", type=Path, help="the Parquet file to write; rejects and summary lie next to it"
    )
    parser.add_argument("--model", default="models:/facenet@champion", help="default: %(default)s")
    parser.add_argument("--device", default="auto", help="a torch device (default: %(default)s)")
    return parser.parse_args(arguments)


def score(photos: Path, out: Path, *, model: str, device: str) -> dict[str, Any]:
    """Embed photos with a registered model; write a row per photo to `out`, and return the summary.

    Photos that cannot be read are rows of OUT.rejects.parquet instead, with the reason. A photo without a
    face has `fallback`: its centre was embedded, as in the evaluation.

    Raises:
        SourceInvalid: the photos or the model do not exist, or the Parquet file lacks a column.
        TrackingFailed: the MLflow server cannot be reached.
        WeightsInvalid: the files of the model do not belong together.
        StorageFailed: an output cannot be written.
    """
    source = _open(photos, out)
    from facenet.face_model import FaceModel  # imported late: torch and MLflow take seconds
    from tasks.tracking.model_uri import resolve_version

    version = resolve_version(model)
    faces = FaceModel.load(f"models:/{version.model}/{version.number}", device=device, batch_size=BATCH)
    rejected, start = Counter[str](), time.monotonic()
    rejects = out.with_name(f"{out.stem}.rejects.parquet")
    progress = _Progress()
    with (
        logging_decisions() as log,
        atomic_path(out) as scores_path,
        atomic_path(rejects) as rejects_path,
        pq.ParquetWriter(scores_path, SCORES) as scores,
        pq.ParquetWriter(rejects_path, REJECTS) as refused,
    ):
        while batch := list(islice(source, BATCH)):
            answers = _answers(faces, batch)
            rows, bad = _rows(batch, answers)
            log(_decisions(faces, answers))
            rejected.update(row["reason"].partition(":")[0] for row in bad)
            named = [{**row, "model": version.model, "version": version.number} for row in rows]
            scores.write_table(pa.Table.from_pylist(named, schema=SCORES))
            refused.write_table(pa.Table.from_pylist(bad, schema=REJECTS))
            progress.add(rows, len(batch))
    seconds = time.monotonic() - start
    return {
        "model": version.model,
        "version": version.number,
        "photos": progress.photos,
        "scored": progress.scored,
        "fallbacks": progress.fallbacks,
        "rejected": dict(sorted(rejected.items())),
        "images_per_second": round(progress.photos / seconds, 1) if seconds else None,
        "out": str(out),
        "rejects": str(rejects),
    }


class _Progress:
    """Counts, with a line every ten seconds."""

    def __init__(self) -> None:
        self.photos = self.scored = self.fallbacks = 0
        self._said = time.monotonic()

    def add(self, rows: Sequence[dict[str, Any]], photos: int) -> None:
        self.photos += photos
        self.scored += len(rows)
        self.fallbacks += sum(row["fallback"] for row in rows)
        if time.monotonic() - self._said > PROGRESS_SECONDS:
            self._said = time.monotonic()
            sys.stdout.write(f"{self.photos} photos, {self.scored} of them embedded\n")
            sys.stdout.flush()


def _answers(model: Any, batch: Sequence[Photo]) -> list[Any]:
    """Return for each photo its face, a PhotoError, or the reason why it has no bytes."""
    found = iter(model.embed([data for _, data in batch if isinstance(data, bytes)], fallback=True))
    return [next(found) if isinstance(data, bytes) else data for _, data in batch]


def _decisions(model: Any, answers: Sequence[Any]) -> list["DecisionRow"]:
    """Return the rows of the decision log for the photos that could be opened."""
    from facenet.results import Face, PhotoError
    from tasks.monitoring.rows import face_row, failure_row

    rows = []
    for answer in answers:
        if isinstance(answer, Face):
            rows.append(face_row(model, answer, kind="score", site=SITE))
        elif isinstance(answer, PhotoError):
            rows.append(failure_row(model, answer, kind="score", site=SITE))
    return rows


def _rows(
    batch: Sequence[Photo], answers: Sequence[Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of both files for some photos, each in the order of the photos."""
    from facenet.results import Face

    rows, bad = [], []
    for (name, _), answer in zip(batch, answers, strict=True):
        if isinstance(answer, Face):
            rows.append({"id": name, **{k: v for k, v in answer.to_dict().items() if k in SCORES.names}})
        else:
            bad.append({"id": name, "reason": str(answer)})
    return rows, bad


def _open(photos: Path, out: Path) -> Iterator[Photo]:
    """Return the photos of a folder or a Parquet file, after checking what can be checked at once."""
    if out.suffix != ".parquet":
        raise SourceInvalid(f"{out} is not a Parquet file: its name has to end in .parquet.")
    if photos.is_dir():
        found = expand([str(photos)])
        if all(photo.path == str(photos) for photo in found):
            raise SourceInvalid(f"{photos.absolute()}: {found[0].problem}")
        return _in_folder(photos, found)
    if not photos.is_file():
        raise SourceInvalid(f"There are no photos at {photos.absolute()}: neither a folder nor a file.")
    if photos.resolve() == out.resolve():
        raise SourceInvalid(f"{out} would replace the photos. Choose another file for the embeddings.")
    try:
        columns = pq.ParquetFile(photos).schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise SourceInvalid(f"{photos} is neither a folder nor a Parquet file: {error}") from error
    named = next((name for name in NAMES if name in columns.names), None)
    if named is None or "image" not in columns.names:
        raise SourceInvalid(
            f"{photos} has the columns {', '.join(columns.names)}; a column `image` with the bytes of the "
            f"photos is required, and one of {', '.join(NAMES)}."
        )
    if columns.field("image").type not in (pa.binary(), pa.large_binary()):
        raise SourceInvalid(
            f"{photos}: the column image has to hold bytes, not {columns.field('image').type}."
        )
    return _in_parquet(photos, named)


def _in_folder(folder: Path, photos: Sequence[Argument]) -> Iterator[Photo]:
    for photo in photos:
        name = str(Path(photo.path).relative_to(folder))
        try:
            yield name, f"unreadable: {photo.problem}" if photo.problem else read(photo.path)
        except Unreadable as error:
            yield name, f"unreadable: {error}"


def _in_parquet(path: Path, named: str) -> Iterator[Photo]:
    for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=[named, "image"]):
        for row in batch.to_pylist():
            yield str(row[named]), row["image"] if row["image"] is not None else "unreadable: no image"


if __name__ == "__main__":
    stage_main(main)
