"""Select the face that a photo with several faces is of."""

import numpy as np
from numpy.typing import NDArray

from facenet.detection.faces import Faces
from facenet.errors import ParamsInvalid

SELECTIONS = ("center_weighted", "largest", "most_probable")
CENTRE_WEIGHT = 2.0  # davidsandberg/facenet


def select_face(faces: Faces, width: int, height: int, selection: str) -> int:
    """Return the index of the face with the highest value in an image of `width` x `height` pixels.

    center_weighted: the value is the area minus twice the squared distance between the centres of box and
    image (davidsandberg). largest: area of the box. most_probable: probability. Ties go to the first face.

    Raises:
        ParamsInvalid: unknown selection.
        ValueError: there are no faces.
    """
    if selection not in SELECTIONS:
        raise ParamsInvalid(f"align.selection is {selection!r}. Use one of {', '.join(SELECTIONS)}.")
    if selection == "most_probable":
        return int(np.argmax(faces.probabilities))
    boxes = faces.boxes.astype(np.float64)
    value = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    if selection == "center_weighted":
        value -= CENTRE_WEIGHT * _squared_distance(boxes, width, height)
    return int(np.argmax(value))


def _squared_distance(boxes: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    offset = (boxes[:, :2] + boxes[:, 2:]) / 2 - (width / 2, height / 2)
    squared: NDArray[np.float64] = np.square(offset).sum(axis=1)
    return squared
