import base64
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from service.api.schemas import VerifyAnswer

Photo = Callable[..., bytes]


def test_the_answer_is_that_of_the_model(client: TestClient, face_model: FaceModel, photo: Photo) -> None:
    left, right = photo(0), photo(10)
    form = client.post("/v1/verify", files={"left": left, "right": right})
    body = {name: base64.b64encode(data).decode() for name, data in (("left", left), ("right", right))}
    for answer in (form, client.post("/v1/verify", json=body)):
        found = VerifyAnswer.model_validate(answer.json(), strict=True)
        expected = face_model.verify(left, right)
        assert found.match is expected.match
        assert found.distance == pytest.approx(expected.distance, abs=1e-5)
        assert found.probability == pytest.approx(expected.probability, abs=1e-4)
        assert found.threshold == 0.5
        assert found.left.box != found.right.box


def test_a_photo_compared_with_itself(client: TestClient, photo: Photo) -> None:
    answer = client.post("/v1/verify", files={"left": photo(0), "right": photo(0)}).json()
    assert answer["match"] is True
    assert answer["distance"] == pytest.approx(0, abs=1e-6)


def test_target_rate_and_prior(client: TestClient, photo: Photo) -> None:
    files = {"left": photo(0), "right": photo(10)}
    default, rate, prior = (
        client.post("/v1/verify", files=files, data=data).json()
        for data in ({}, {"far": "0.01"}, {"prior": "0.001"})
    )
    assert (rate["threshold"], default["threshold"]) == (0.25, 0.5)
    assert prior["probability"] < default["probability"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"far": "0.5"}, "no threshold was measured at FAR 0.5"),
        ({"far": "nan"}, "FAR nan"),
        ({"prior": "0"}, "prior: "),
        ({"prior": "1"}, "prior: "),
        ({"prior": "' OR 1=1"}, "prior: "),
    ],
)
def test_invalid_parameters(client: TestClient, photo: Photo, fields: dict[str, str], words: str) -> None:
    answer = client.post("/v1/verify", files={"left": photo(0), "right": photo(10)}, data=fields)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (422, "invalid")
    assert words in answer.json()["error"]["message"]
    assert "OR 1=1" not in answer.text


def test_the_photo_that_cannot_be_used_is_named(client: TestClient, photo: Photo) -> None:
    good = photo(0)
    found = {}
    for name, spoilt in (("text", b"x"), ("empty", b""), ("cut", good[:800])):
        answer = client.post("/v1/verify", files={"left": good, "right": spoilt})
        error = answer.json()["error"]
        assert error["message"].startswith("right photo: ")
        found[name] = answer.status_code, error["reason"]
    assert found == {"text": (415, "unsupported"), "empty": (422, "empty"), "cut": (422, "corrupt")}
