"""Photos that are the same but for their encoding, a cut or a shade: found by embedding, judged by pixels."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from facenet.evaluation.distances import Floats

BLOCK = 1024  # photos compared with all others at a time
CELLS = 24  # of the side of the picture that pixels are compared by


def nearest(
    embeddings: npt.NDArray[np.floating], others: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return for each of (N, E) normalised embeddings row and cosine of the nearest of (M, E) others.

    M is at least 1.
    """
    rows, cosines = [np.zeros(0, np.int64)], [np.zeros(0)]
    for start in range(0, len(embeddings), BLOCK):
        alike = embeddings[start : start + BLOCK] @ others.T
        rows.append(alike.argmax(axis=1))
        cosines.append(np.take_along_axis(alike, rows[-1][:, None], axis=1)[:, 0].astype(np.float64))
    return np.concatenate(rows), np.concatenate(cosines)


def pixel_similarity(left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8]) -> float:
    """Return the correlation, -1 to 1, of two (H, W, 3) faces as grey pictures of 24 x 24 means.

    Light and contrast do not count. A picture of one grey value is like nothing: 0.
    """
    small = [_small(pixels) for pixels in (left, right)]
    lengths = [float(np.linalg.norm(cells)) for cells in small]
    return float(np.sum(small[0] * small[1]) / (lengths[0] * lengths[1])) if all(lengths) else 0.0


def _small(pixels: npt.NDArray[np.uint8]) -> Floats:
    grey = Image.fromarray(pixels).convert("L").resize((CELLS, CELLS), Image.Resampling.BOX)
    cells = np.asarray(grey, np.float64)
    centred: Floats = cells - cells.mean()
    return centred
