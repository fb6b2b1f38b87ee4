"""Near-duplicates (re-encoded, cropped or relit copies): found by embedding, confirmed by pixels."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from facenet.evaluation.distances import Floats

BLOCK = 1024  # photos compared with all others at once
CELLS, WINDOW = 40, 24  # side of the reduced image and of the template searched for in it
SCALES = (0.8, 0.87, 0.93, 1.0, 1.07, 1.15, 1.25)  # of the template


def nearest(
    embeddings: npt.NDArray[np.floating], others: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return row and cosine of the nearest of (M, E) other embeddings for each of (N, E) ones.

    Embeddings may have any length: the network variants `siamese` and `faithful` do not normalise theirs. A
    zero embedding has cosine 0. M is at least 1.
    """
    units, other_units = _unit_rows(embeddings), _unit_rows(others)
    rows, cosines = [np.zeros(0, np.int64)], [np.zeros(0)]
    for start in range(0, len(units), BLOCK):
        block = units[start : start + BLOCK] @ other_units.T
        rows.append(block.argmax(axis=1))
        cosines.append(np.take_along_axis(block, rows[-1][:, None], axis=1)[:, 0].astype(np.float64))
    return np.concatenate(rows), np.concatenate(cosines)


def _unit_rows(embeddings: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    units: npt.NDArray[np.floating] = embeddings / np.maximum(lengths, np.finfo(np.float32).tiny)
    return units


def pixel_similarity(left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8]) -> float:
    """Return the best correlation, -1 to 1, of the centre of one square (S, S, 3) face with parts of another.

    Re-encoding, scaling or mirroring a photo moves the detected face slightly, and with it the crop. The
    centre is therefore matched at several scales, also mirrored, at every position of a 40 x 40 grey image.
    Brightness and contrast do not matter. A uniform image correlates with nothing: 0.
    """
    templates = np.stack([_centre(left, scale) for scale in SCALES])
    templates = np.concatenate([templates, templates[:, :, ::-1]])
    windows = sliding_window_view(_cells(right, CELLS), (WINDOW, WINDOW))
    correlations = _unit(windows.reshape(-1, WINDOW**2)) @ _unit(templates.reshape(-1, WINDOW**2)).T
    return float(correlations.max())


def _centre(pixels: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.float32]:
    """Return the centre of an image as (24, 24) cells, each `scale` times as wide as those of `CELLS`."""
    side = pixels.shape[0]
    edge = side * (1 - scale * WINDOW / CELLS) / 2
    return _cells(pixels, WINDOW, (edge, edge, side - edge, side - edge))


def _cells(
    pixels: npt.NDArray[np.uint8], cells: int, box: tuple[float, float, float, float] | None = None
) -> npt.NDArray[np.float32]:
    grey = Image.fromarray(pixels).convert("L").resize((cells, cells), Image.Resampling.BOX, box)
    return np.asarray(grey, np.float32)


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return rows with mean 0 and length 1; constant rows become zeros."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    return unit
