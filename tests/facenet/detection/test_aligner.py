import io

import numpy as np
from PIL import Image

from facenet.detection import MTCNN, CropSettings, FaceAligner, align_faces, fallback_box
from facenet.detection.aligner import align_face
from facenet.detection.faces import Faces


def grey(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def test_real_faces_are_detected_and_cropped(orl_photos: list[tuple[str, bytes]]) -> None:
    photos = [grey(data) for _, data in orl_photos[::8]]
    faces = FaceAligner(MTCNN(), "center_weighted", CropSettings(image_size=96, margin=16)).align(photos)
    found = [face for face in faces if not face.fallback]
    assert len(found) >= 0.9 * len(photos)
    for face in found:
        left_eye, right_eye, nose, *mouth = face.landmarks
        assert left_eye[0] < nose[0] < right_eye[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(corner[1] for corner in mouth)
        assert face.image.shape == (96, 96, 3)
        assert face.probability > 0.7
        assert face.faces_found >= 1


def test_a_photo_without_a_face_falls_back_to_its_centre() -> None:
    empty = np.full((80, 120, 3), 90, np.uint8)
    (face,) = FaceAligner(MTCNN(), "largest", CropSettings(image_size=40)).align([empty])
    assert face.fallback
    assert (face.probability, face.faces_found) == (0, 0)
    assert np.isnan(face.landmarks).all()
    np.testing.assert_array_equal(face.box, fallback_box(120, 80))
    np.testing.assert_array_equal(face.image, empty[:40, :40])


def test_all_faces_are_cropped_as_the_selected_one_is(orl_photos: list[tuple[str, bytes]]) -> None:
    both = np.concatenate([grey(orl_photos[0][1]), grey(orl_photos[25][1])], axis=1)
    photos = [both, np.full((80, 120, 3), 90, np.uint8)]
    aligner = FaceAligner(MTCNN(), "most_probable", CropSettings(image_size=96, margin=16))
    found, nothing = (
        align_faces(photo, faces, aligner.crop)
        for photo, faces in zip(photos, aligner.find(photos), strict=True)
    )
    assert (len(found), nothing) == (2, [])
    assert [face.box.tolist() for face in found] == aligner.find(photos)[0].boxes.tolist()
    chosen = aligner.align(photos)[0]
    np.testing.assert_array_equal(found[0].image, chosen.image)
    assert (found[0].probability, found[0].faces_found) == (chosen.probability, 2)
    assert not np.array_equal(found[0].image, found[1].image)


def test_the_box_is_stored_without_its_margin() -> None:
    faces = Faces(
        np.array([[10, 10, 30, 30]], np.float32), np.array([0.8], np.float32), np.ones((1, 5, 2), np.float32)
    )
    face = align_face(
        np.zeros((50, 50, 3), np.uint8), faces, "largest", CropSettings(image_size=20, margin=10)
    )
    assert face.box.tolist() == [10, 10, 30, 30]


def test_without_a_detector_the_whole_photo_is_the_face(orl_photos: list[tuple[str, bytes]]) -> None:
    photos = [grey(orl_photos[0][1]), np.full((40, 60, 3), 90, np.uint8)]
    faces = FaceAligner(None, "center_weighted", CropSettings(method="none", image_size=92)).align(photos)
    assert [face.box.tolist() for face in faces] == [[0, 10, 92, 102], [10, 0, 50, 40]]
    np.testing.assert_array_equal(faces[0].image, photos[0][10:102])
    for face in faces:
        assert (face.probability, face.faces_found, face.fallback) == (1, 1, False)
        assert np.isnan(face.landmarks).all()
