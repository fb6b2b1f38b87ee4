"""Qualities of a photo that do not depend on the person: size, sharpness, brightness, pose and colour."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from facenet.atomic import atomic_path
from tasks.evaluate.work import FaceLocation, read_locations
from tasks.shards import read_table

FORMAT = 1  # of the cache file; increase when a formula below changes
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
MEASURED = ("sharpness", "brightness", "colour")


def photo_qualities(
    aligned: Path, places: Sequence[FaceLocation], digests: Sequence[bytes], cache: Path
) -> pd.DataFrame:
    """Return one row per photo, indexed by image_id.

    side: of the detected face in the photo, pixels. turn: distance of the nose from the midpoint of the eyes
    along their line, in eye distances: 0 frontal, 0.5 near profile; NaN without landmarks. sharpness:
    variance of the Laplacian of the stored face's luma. brightness: mean luma, 0 to 255. colour: mean range
    over the three channels, 0 for grey. The values from pixels are cached.
    """
    path = cache / f"qualities-{FORMAT}.parquet"
    cached = pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=list(MEASURED), dtype=float)
    names = [digest.hex() for digest in digests]
    missing = [(place, name) for place, name in zip(places, names, strict=True) if name not in cached.index]
    if missing:
        faces = read_locations(aligned, [place for place, _ in missing])
        rows = dict(zip((name for _, name in missing), map(measure_pixels, faces), strict=True))
        cached = pd.concat(
            [cached, pd.DataFrame.from_dict(rows, orient="index", columns=list(MEASURED))]
        ).sort_index()
        with atomic_path(path) as temporary:
            cached.to_parquet(temporary)
    table = cached.loc[names].set_axis(pd.Index([place.image_id for place in places], name="image_id"))
    return table.join(_geometry(aligned))


def measure_pixels(face: npt.NDArray[np.uint8]) -> tuple[float, float, float]:
    """Return sharpness, brightness and colour of an (S, S, 3) uint8 face."""
    pixels = face.astype(np.float64)
    luma = pixels @ LUMA
    inner = luma[1:-1, 1:-1]
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inner
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    return float(laplacian.var()), float(luma.mean()), float(spread.mean())


def turn(landmarks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the (N,) turn of the head from (N, 5, 2) landmarks: eyes, nose, mouth corners."""
    left, right, nose = landmarks[:, 0], landmarks[:, 1], landmarks[:, 2]
    line = right - left
    squared = (line**2).sum(axis=1)
    along = ((nose - (left + right) / 2) * line).sum(axis=1)
    turned = np.divide(along, squared, out=np.full(len(squared), np.nan), where=squared > 0)
    return np.asarray(np.abs(turned), np.float64)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Return a column of (nested) lists of equal length as one row of numbers per entry."""
    values = column.combine_chunks()
    while not pa.types.is_floating(values.type):
        values = values.flatten()
    return np.asarray(values, np.float64).reshape(len(column), -1)


def _geometry(aligned: Path) -> pd.DataFrame:
    table = read_table(aligned, "faces", ["image_id", "box", "landmarks", "fallback"])
    boxes, points = (_numbers(table[name]) for name in ("box", "landmarks"))
    points = points.reshape(len(points), -1, 2)
    found = ~np.array(table["fallback"].to_pylist(), bool)
    side = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    columns = {"side": np.where(found, side, np.nan), "turn": np.where(found, turn(points), np.nan)}
    return pd.DataFrame(columns, index=pd.Index(table["image_id"].to_pylist(), name="image_id"))
