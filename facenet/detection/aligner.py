"""From photos to aligned faces: the code path shared by the align stage and a served model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facenet.detection.cascade import MTCNN
from facenet.detection.crop import CropSettings, central_square, crop_face, fallback_box
from facenet.detection.faces import Faces
from facenet.detection.integral import Floats, Pixels
from facenet.detection.selection import select_face


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """The selected face of one photo.

    image: uint8 (S, S, 3). box (4,) float32 without margin, and landmarks (5, 2) float32, in source pixels.
    probability: detection probability, 0 to 1. faces_found: number of faces detected in the photo.
    fallback: no face was detected; the image is the centre of the photo, the probability is 0 and the
        landmarks are NaN.
    """

    image: Pixels
    box: Floats
    landmarks: Floats
    probability: float
    faces_found: int
    fallback: bool


def align_face(pixels: Pixels, faces: Faces, selection: str, crop: CropSettings) -> AlignedFace:
    """Select and crop one of the `faces` detected in `pixels` uint8 (H, W, 3), or fall back to the centre."""
    height, width = pixels.shape[:2]
    box, landmarks = fallback_box(width, height), np.full((5, 2), np.nan, np.float32)
    probability = 0.0
    if len(faces):
        chosen = select_face(faces, width, height, selection)
        box, landmarks = faces.boxes[chosen], faces.landmarks[chosen]
        probability = float(faces.probabilities[chosen])
    image = crop_face(pixels, box, landmarks, crop)
    return AlignedFace(image, box, landmarks, probability, len(faces), not len(faces))


def align_faces(pixels: Pixels, faces: Faces, crop: CropSettings) -> list[AlignedFace]:
    """Crop each of the `faces` detected in `pixels` uint8 (H, W, 3), most probable first."""
    return [
        AlignedFace(crop_face(pixels, box, landmarks, crop), box, landmarks, float(p), len(faces), False)
        for box, landmarks, p in zip(faces.boxes, faces.landmarks, faces.probabilities, strict=True)
    ]


def whole_photo(pixels: Pixels) -> Faces:
    """Return the centre square of `pixels` (H, W, 3) as its face, of probability 1, landmarks NaN."""
    height, width = pixels.shape[:2]
    box = central_square(width, height)[None]
    return Faces(box, np.ones(1, np.float32), np.full((1, 5, 2), np.nan, np.float32))


class FaceAligner:
    """Detect, select and crop one face per photo.

    detector: not used with crop method none.
    selection: one of SELECTIONS.
    """

    def __init__(self, detector: MTCNN | None, selection: str, crop: CropSettings) -> None:
        self.detector, self.selection, self.crop = detector, selection, crop

    def find(self, images: Sequence[Pixels]) -> list[Faces]:
        """Return all faces of each photo uint8 (H, W, 3) RGB; photos may differ in size."""
        return self.detector.detect(images) if self.detector else [whole_photo(image) for image in images]

    def align(self, images: Sequence[Pixels]) -> list[AlignedFace]:
        """Return one face for each photo, as for `find`."""
        pairs = zip(images, self.find(images), strict=True)
        return [align_face(image, faces, self.selection, self.crop) for image, faces in pairs]
