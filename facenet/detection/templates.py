"""Templates for alignment: where the five landmarks of a face lie in an aligned image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Template:
    """Positions of left eye, right eye, nose and mouth corners; left is left in the image.

    points: x, y in pixels of an image of `side` x `side` pixels, for a margin of 0.
    """

    side: float
    points: tuple[tuple[float, float], ...]

    def scaled(self, side: int) -> NDArray[np.complex128]:
        """Return the (5,) positions x + iy in an image of `side` pixels."""
        positions: NDArray[np.complex128] = np.array(self.points) @ (1, 1j) * (side / self.side)
        return positions


TEMPLATES = {
    # InsightFace's for ArcFace, 112 px
    "arcface": Template(
        112,
        (
            *((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366)),
            *((41.5493, 92.3655), (70.7299, 92.2041)),
        ),
    ),
    # dlib's chips for its face recognition network: 150 px, padding 0.25. Eyes and mouth corners are those of
    # the mean face in dlib's source, the nose lies between tip and base there.
    "dlib": Template(
        150,
        (
            *((47.5492, 46.599), (100.4761, 46.599), (74.0127, 80.0)),
            *((50.4149, 103.0233), (97.6104, 103.0233)),
        ),
    ),
    # Where this detector finds the landmarks in chips that dlib itself has cut: MTCNN places mouth and nose
    # elsewhere than dlib's mean face has them. Mean of 4,016 people of LFW View 1, by benchmarks/template.py.
    "ours": Template(
        150,
        ((48.52, 46.57), (102.33, 46.45), (75.04, 77.98), (51.43, 105.36), (99.09, 105.31)),
    ),
}
