import numpy as np

from facenet.detection.faces import Faces


def test_there_are_no_faces_by_default() -> None:
    faces = Faces()
    assert len(faces) == 0
    assert faces.boxes.shape == (0, 4)
    assert faces.landmarks.shape == (0, 5, 2)


def test_scaling_moves_boxes_and_landmarks() -> None:
    faces = Faces(
        np.array([[1, 2, 3, 4]], np.float32), np.array([0.9], np.float32), np.ones((1, 5, 2), np.float32)
    )
    scaled = faces.scaled(3)
    assert scaled.boxes.tolist() == [[3, 6, 9, 12]]
    assert (scaled.landmarks == 3).all()
    assert scaled.probabilities == faces.probabilities
