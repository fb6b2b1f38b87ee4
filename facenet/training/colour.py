"""Random changes of brightness, contrast, saturation and hue."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# RGB to luma and two colour differences (Rec. 601): rotating the latter changes the hue, scaling them the
# saturation, and neither changes the brightness.
TO_YUV = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 * 0.492, -0.587 * 0.492, (1 - 0.114) * 0.492],
        [(1 - 0.299) * 0.877, -0.587 * 0.877, -0.114 * 0.877],
    ]
)
FROM_YUV = np.linalg.inv(TO_YUV)


@dataclass(frozen=True, kw_only=True)
class ColourJitter:
    """Maximum changes to the colours of a face; 0 for none.

    contrast: each channel's distance from its mean is scaled by 1 - contrast to 1 + contrast.
    saturation: the distance from grey is scaled by 1 - saturation to 1 + saturation.
    hue: rotation of the colours, as a fraction of the colour circle in either direction, at most 0.5.
    brightness: offset in either direction, as a fraction of the range of 255.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    @property
    def on(self) -> bool:
        """Whether any change is enabled."""
        return any((self.brightness, self.contrast, self.saturation, self.hue))

    def draw(self, count: int, random: np.random.Generator) -> Floats:
        """Return (count, 4) changes of brightness, contrast, saturation and hue."""
        ranges = np.array([self.brightness, self.contrast, self.saturation, self.hue])
        changes: Floats = (random.uniform(-1, 1, (count, 4)) * ranges).astype(np.float32)
        return changes

    def apply(self, faces: Pixels, changes: Floats) -> Pixels:
        """Return (N, H, W, 3) faces changed by (N, 4) draws: contrast, saturation and hue, then brightness.

        Values are clipped to 0 to 255 once, at the end.
        """
        brightness, contrast, saturation, hue = changes.astype(np.float64).T
        values = faces.reshape(len(faces), -1, 3).astype(np.float32)
        means = values.mean(axis=1, keepdims=True)
        values = (values - means) * (1 + contrast[:, None, None]).astype(np.float32) + means
        values = values @ _mixers(1 + saturation, hue).astype(np.float32).transpose(0, 2, 1)
        values += (255 * brightness[:, None, None]).astype(np.float32)
        changed: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return changed.reshape(faces.shape)


def _mixers(saturation: npt.NDArray[np.float64], turns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the (N, 3, 3) matrices that scale and rotate the colour differences of RGB."""
    sine, cosine = np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)
    middle = np.zeros((len(turns), 3, 3))
    middle[:, 0, 0] = 1
    middle[:, 1, 1] = middle[:, 2, 2] = saturation * cosine
    middle[:, 1, 2], middle[:, 2, 1] = -saturation * sine, saturation * sine
    mixers: npt.NDArray[np.float64] = FROM_YUV @ middle @ TO_YUV
    return mixers
