import numpy as np
import pytest

from facenet.detection import Faces, select_face
from facenet.errors import ParamsInvalid

FACES = Faces(
    boxes=np.array([[0, 0, 60, 60], [90, 90, 130, 130], [95, 95, 125, 125]], np.float32),
    probabilities=np.array([0.9, 0.8, 0.99], np.float32),
    landmarks=np.zeros((3, 5, 2), np.float32),
)


@pytest.mark.parametrize(
    ("selection", "index"), [("center_weighted", 1), ("largest", 0), ("most_probable", 2)]
)
def test_each_rule_selects_its_face(selection: str, index: int) -> None:
    assert select_face(FACES, 220, 220, selection) == index


def test_the_distance_from_the_centre_counts_twice_its_square() -> None:
    boxes = np.array([[0, 0, 40, 40], [80, 80, 90, 90]], np.float32)
    # Centre of the image (50, 50): 1600 - 2 * 1800 = -2000 against 100 - 2 * 2450 = -4800.
    faces = Faces(boxes, np.array([0.9, 0.9], np.float32), np.zeros((2, 5, 2), np.float32))
    assert select_face(faces, 100, 100, "center_weighted") == 0
    assert select_face(faces, 160, 160, "center_weighted") == 1


def test_an_unknown_selection_is_an_error() -> None:
    with pytest.raises(ParamsInvalid, match=r"align\.selection is 'oldest'"):
        select_face(FACES, 220, 220, "oldest")
