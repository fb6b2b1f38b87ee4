"""The detections in one image."""

from dataclasses import dataclass, field

import numpy as np

from facenet.detection.integral import Floats


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces in one image, most probable first; none by default.

    boxes (F, 4) float32 x0 y0 x1 y1, source pixels, half open; may extend past the image.
    probabilities (F,) float32, 0 to 1.
    landmarks (F, 5, 2) float32 x y: left eye, right eye, nose, left and right mouth corner, left and right as
        the viewer sees them.
    """

    boxes: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    probabilities: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    landmarks: Floats = field(default_factory=lambda: np.zeros((0, 5, 2), np.float32))

    def __len__(self) -> int:
        return len(self.boxes)

    def scaled(self, factor: int) -> "Faces":
        """Return the same faces in coordinates of an image enlarged by `factor`."""
        scale = np.float32(factor)
        return Faces(self.boxes * scale, self.probabilities, self.landmarks * scale)
