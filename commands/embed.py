"""`facenet embed`: the templates of photos as a Parquet file or a NumPy archive."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.models import add_model, evaluated, load_model
from commands.output import as_text, show, show_json
from commands.path_arguments import FILES, add_photos, completed
from commands.photos import embedded, expanded, report_unusable
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from facenet import Face

OUT = "file to write: .parquet (needs the extra `service` or `pipeline`) or .npz"
FORMATS = (".parquet", ".npz")
Row = tuple[str, "Face"]


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet embed`."""
    parser.description = (
        "Write a row for each photo: path, template (the vector that is compared), box, the detector's "
        "probability, number of faces and quality. Exit code 1: a photo has no face, or cannot be read."
    )
    add_photos(parser)
    completed(parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=OUT), FILES)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print counts and rejected photos as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Embed the photos and write the file; return 1 if a photo could not be used.

    Raises:
        ParamsInvalid: the file has another suffix, or its folder does not exist.
        WeightsInvalid: the model is damaged, or was not evaluated.
        StorageFailed: the file cannot be written.
    """
    out: Path = arguments.out
    if out.suffix not in FORMATS:
        raise ParamsInvalid(f"--out: {out} has the suffix {out.suffix!r}. Use one of {', '.join(FORMATS)}.")
    if not out.absolute().parent.is_dir():
        raise ParamsInvalid(f"--out: there is no folder {out.parent}. Create it: mkdir -p '{out.parent}'.")
    if out.suffix == ".parquet":
        import pyarrow as pa  # before the work: without it there is no file
    photos = expanded(arguments.photos)
    model = load_model(arguments)
    evaluated(model)
    answers = [(photo.path, face) for photo, face in embedded(model, photos)]
    unusable = [(path, face) for path, face in answers if not hasattr(face, "template")]
    rows: list[Any] = [(path, face) for path, face in answers if hasattr(face, "template")]
    origin = {"model": as_text(model.origin), "digest": model.digest}
    if out.suffix == ".parquet":
        _write_parquet(out, pa, rows, origin, model.template_size)
    else:
        _write_archive(out, rows, origin, model.template_size)
    if arguments.json:
        errors = [{"path": as_text(path), "error": str(error)} for path, error in unusable]
        counts = {"photos": len(photos), "templates": len(rows), "size": model.template_size}
        show_json({**origin, "out": as_text(str(out)), **counts, "errors": errors})
    else:
        show(f"{len(rows)} templates of {model.template_size} numbers, of {len(photos)} photos: {out}\n")
        report_unusable(unusable, len(photos))
    return NO if unusable else OK


def columns(rows: Sequence[Row], size: int) -> dict[str, Any]:
    """Return the columns of N rows: path, template (N, size), box (N, 4), and numbers (N,)."""
    import numpy as np

    faces = [face for _, face in rows]
    qualities = [face.quality for face in faces]
    return {
        "path": [as_text(path) for path, _ in rows],
        "template": np.array([face.template for face in faces], np.float32).reshape(-1, size),
        "box": np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        "probability": np.array([face.probability for face in faces], np.float32),
        "faces_found": np.array([face.faces_found for face in faces], np.int32),
        **{
            name: np.array([getattr(quality, name) for quality in qualities], np.float32)
            for name in ("side", "sharpness", "brightness")
        },
    }


def _write_parquet(out: Path, pa: Any, rows: Sequence[Row], origin: dict[str, str], size: int) -> None:
    import pyarrow.parquet as pq

    from facenet.atomic import atomic_path

    values = columns(rows, size)
    for name in ("template", "box"):
        width = values[name].shape[1]
        values[name] = pa.FixedSizeListArray.from_arrays(pa.array(values[name].reshape(-1)), width)
    table = pa.table({name: pa.array(column) for name, column in values.items()})
    with atomic_path(out) as temporary:
        pq.write_table(table.replace_schema_metadata(origin), temporary)


def _write_archive(out: Path, rows: Sequence[Row], origin: dict[str, str], size: int) -> None:
    import numpy as np

    from facenet.atomic import atomic_path

    texts: dict[str, Any] = {name: np.array(text) for name, text in origin.items()}
    values = {**columns(rows, size), **texts}
    values["path"] = np.array(values["path"], np.str_)
    with atomic_path(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **values)
