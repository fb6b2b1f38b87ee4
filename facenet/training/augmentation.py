"""Cut, shift and mirror faces, a whole batch in one gather."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.errors import ParamsInvalid

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What happens at random to a training face.

    image_size: side in pixels of the square that is cut out.
    random_crop: cut it anywhere in the stored face, else in the middle.
    shift: move it by up to so many pixels each way; beyond the face its edge pixels repeat.
    flip: mirror every other face left to right.
    """

    image_size: int
    random_crop: bool = False
    shift: int = 0
    flip: bool = False

    def __call__(self, faces: Pixels, random: np.random.Generator) -> Pixels:
        """Return (N, image_size, image_size, 3) faces of (N, H, W, 3); draws depend on `random` and N.

        Raises:
            ParamsInvalid: the faces are smaller than `image_size`.
        """
        count, height, width = faces.shape[:3]
        if min(height, width) < self.image_size:
            raise ParamsInvalid(
                f"The faces are {width}x{height} pixels and the network reads {self.image_size}. "
                "Set train.image_size to at most align.image_size."
            )
        rows = self._lines(count, height, random)
        columns = self._lines(count, width, random)
        if self.flip:
            mirrored = random.random(count) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        return faces[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]

    def _lines(self, count: int, side: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return (count, image_size) source rows or columns, one window per face."""
        room = side - self.image_size
        starts = random.integers(0, room + 1, count) if self.random_crop else np.full(count, room // 2)
        if self.shift:
            starts = starts + random.integers(-self.shift, self.shift + 1, count)
        lines: npt.NDArray[np.int64] = np.clip(starts[:, None] + np.arange(self.image_size), 0, side - 1)
        return lines
