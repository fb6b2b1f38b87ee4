from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from service.api.schemas import ModelAnswer


def test_card_calibration_and_digests(client: TestClient, face_model: FaceModel) -> None:
    answer = client.get("/v1/model")
    found = ModelAnswer.model_validate(answer.json())
    assert (found.digest, found.origin) == (face_model.digest, face_model.origin)
    assert found.card["weights_sha256"] == face_model.card.weights_sha256
    assert found.calibration is not None
    assert found.calibration["threshold"] == 0.5
