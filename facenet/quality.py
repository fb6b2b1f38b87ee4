"""The quality of a face: how large, how sharp and how bright it is."""

import numpy as np
from numpy.typing import NDArray

from facenet.results import Quality

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def measure_quality(image: NDArray[np.uint8], side: float) -> Quality:
    """Return the quality of an aligned face uint8 (S, S, 3) RGB, S >= 3.

    sharpness: the variance over the (S - 2)^2 inner pixels of the Laplacian up + down + left + right - 4 *
    centre of the grey values (Pech-Pacheco et al., ICPR 2000). A face that was enlarged to S or is out of
    focus has a low one; values are comparable for one S. brightness: the mean grey value. Grey is ITU-R
    BT.601 luma, 0 to 255.

    Args:
        image: the face as it is embedded, before the network's centre crop.
        side: of the face in the photo, pixels: the shorter side of its box.
    """
    grey = image @ LUMA
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return Quality(side=side, sharpness=float(laplacian.var()), brightness=float(grey.mean()))
