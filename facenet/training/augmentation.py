"""Random rotation, crop, shift, flip and colour changes, on a whole batch at once."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from facenet.errors import ParamsInvalid
from facenet.training.colour import ColourJitter, Pixels
from facenet.training.rotation import rotate

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Draws:
    """The random draws for the images of a batch, one row each; indexing selects rows."""

    tops: Indices
    lefts: Indices
    mirrored: npt.NDArray[np.bool_]
    degrees: npt.NDArray[np.float64]
    scales: npt.NDArray[np.float64]
    colours: npt.NDArray[np.float32]

    def __getitem__(self, rows: Indices) -> Self:
        return type(self)(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes to a training face, applied in this order.

    rotation: maximum angle in degrees, in either direction.
    zoom: maximum change of the scale, below 1: 0.1 enlarges by 0.9 to 1.1.
    image_size: side in pixels of the square crop.
    random_crop: crop at a random position of the stored face instead of the centre.
    shift: maximum translation in pixels, in each direction; edge pixels are repeated outside the face.
    flip: mirror half of the faces left to right.
    colour: change the colours.
    """

    image_size: int
    random_crop: bool = False
    shift: int = 0
    flip: bool = False
    rotation: float = 0.0
    zoom: float = 0.0
    colour: ColourJitter = field(default_factory=ColourJitter)

    def __call__(self, faces: Pixels, random: np.random.Generator) -> Pixels:
        """Return (N, image_size, image_size, 3) faces of (N, H, W, 3); the draws depend on `random` and N.

        Raises:
            ParamsInvalid: the faces are smaller than `image_size`.
        """
        return self.apply(faces, self.draw(len(faces), faces.shape[1:3], random))

    def draw(self, count: int, sides: tuple[int, ...], random: np.random.Generator) -> Draws:
        """Return the draws for `count` faces of `sides` (H, W) pixels.

        Raises:
            ParamsInvalid: the faces are smaller than `image_size`.
        """
        height, width = sides
        if min(height, width) < self.image_size:
            raise ParamsInvalid(
                f"The stored faces have {width}x{height} pixels, train.image_size is {self.image_size}. "
                "Set it to at most align.image_size."
            )
        tops, lefts = self._starts(count, height, random), self._starts(count, width, random)
        mirrored = random.random(count) < 0.5 if self.flip else np.zeros(count, bool)
        degrees = random.uniform(-1, 1, count) * self.rotation if self.rotation else np.zeros(count)
        scales = 1 + random.uniform(-1, 1, count) * self.zoom if self.zoom else np.ones(count)
        colours = self.colour.draw(count, random) if self.colour.on else np.zeros((count, 4), np.float32)
        return Draws(tops, lefts, mirrored, degrees, scales, colours)

    def apply(self, faces: Pixels, draws: Draws) -> Pixels:
        """Return (N, image_size, image_size, 3) faces of (N, H, W, 3), given N draws."""
        count, height, width = faces.shape[:3]
        if (self.rotation or self.zoom) and count:
            faces = rotate(faces, draws.degrees, draws.scales if self.zoom else None)
        rows, columns = self._lines(draws.tops, height), self._lines(draws.lefts, width)
        columns[draws.mirrored] = columns[draws.mirrored, ::-1]
        cut = faces[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
        return self.colour.apply(cut, draws.colours) if self.colour.on and count else cut

    def _starts(self, count: int, side: int, random: np.random.Generator) -> Indices:
        room = side - self.image_size
        starts = random.integers(0, room + 1, count) if self.random_crop else np.full(count, room // 2)
        return starts + random.integers(-self.shift, self.shift + 1, count) if self.shift else starts

    def _lines(self, starts: Indices, side: int) -> Indices:
        """Return (N, image_size) source rows or columns, one window per face."""
        lines: Indices = np.clip(starts[:, None] + np.arange(self.image_size), 0, side - 1)
        return lines
