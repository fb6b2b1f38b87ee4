from pathlib import Path

import numpy as np

from commands.drawing import draw_faces, write_drawing
from facenet.detection import Faces
from facenet.images import decode

GREEN, RED = (0, 208, 64), (255, 48, 96)


def one_face() -> Faces:
    points = np.array([[(40, 50), (60, 50), (50, 60), (42, 70), (58, 70)]], np.float32)
    return Faces(np.array([[30, 40, 70, 90]], np.float32), np.array([0.5], np.float32), points)


def test_box_landmarks_and_probability_are_drawn_into_a_copy() -> None:
    photo = np.full((100, 100, 3), 7, np.uint8)
    drawn = draw_faces(photo, one_face())
    assert (photo == 7).all()
    for x, y in ((30, 65), (70, 65), (50, 40), (50, 90)):
        assert tuple(drawn[y, x]) == GREEN
    for x, y in one_face().landmarks[0].astype(int):
        assert tuple(drawn[y, x]) == RED
    assert (drawn[45:49, 32:68] == 7).all()  # nothing between
    assert (drawn[28:40, 30:70] != 7).any()  # the probability above the box


def test_lines_grow_with_the_photo_and_nothing_is_drawn_without_a_face() -> None:
    photo = np.zeros((1500, 1200, 3), np.uint8)
    face = one_face()
    large = Faces(face.boxes * 10, face.probabilities, face.landmarks * 10)
    assert (draw_faces(photo, large)[600, 300:305] == GREEN).all()
    np.testing.assert_array_equal(draw_faces(photo, Faces()), photo)


def test_a_box_that_extends_past_the_photo_is_clipped(tmp_path: Path) -> None:
    face = one_face()
    beyond = Faces(face.boxes - 60, face.probabilities, face.landmarks - 60)
    write_drawing(tmp_path / "new" / "one.png", np.zeros((50, 50, 3), np.uint8), beyond)
    drawn = decode((tmp_path / "new" / "one.png").read_bytes())
    assert drawn.shape == (50, 50, 3)
    assert tuple(drawn[5, 10]) == GREEN
