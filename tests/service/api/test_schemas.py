from facenet.results import Face, PhotoError, Quality
from service.api.schemas import EmbeddedFace, FaceAnswer, error_answer, face_answer

FACE = Face((0.0, 1.0, 2.0, 3.0), None, 0.9, quality=Quality(2.0, 5.0, 100.0), faces_found=3)


def test_a_face_has_the_documented_fields() -> None:
    plain, embedded = face_answer(FACE), face_answer(FACE, vectors=True)
    assert set(plain) == set(FaceAnswer.model_fields)
    assert set(embedded) == set(EmbeddedFace.model_fields)
    assert FaceAnswer.model_validate(plain).quality is not None
    assert error_answer(PhotoError("corrupt", "damaged")) == {"reason": "corrupt", "message": "damaged"}
