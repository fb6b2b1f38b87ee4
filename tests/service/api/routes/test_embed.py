import base64
from collections.abc import Callable

import numpy as np
from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from facenet.results import Face
from service.api.schemas import EmbedAnswer

Photo = Callable[..., bytes]


def test_templates_are_those_of_the_model(client: TestClient, face_model: FaceModel, photo: Photo) -> None:
    photos = [photo(0), photo(10)]
    form = client.post("/v1/embed", files=[("photos", data) for data in photos])
    encoded = [base64.b64encode(data).decode() for data in photos]
    answers = [form, client.post("/v1/embed", json={"photos": encoded})]
    for answer in answers:
        found = EmbedAnswer.model_validate(answer.json(), strict=True)
        assert found.model == face_model.digest
        for entry, expected in zip(found.photos, face_model.embed(photos), strict=True):
            assert isinstance(expected, Face)
            (face,) = entry.faces
            np.testing.assert_allclose(face.template, expected.template, atol=1e-5)
            assert face.box == list(expected.box)


def test_every_face_of_a_photo(client: TestClient, photo: Photo) -> None:
    answer = client.post("/v1/embed", files={"photos": photo(0, 10)}, data={"every": "true"}).json()
    (entry,) = answer["photos"]
    assert [face["faces_found"] for face in entry["faces"]] == [2, 2]


def test_a_photo_that_cannot_be_used_does_not_affect_the_others(client: TestClient, photo: Photo) -> None:
    answer = client.post("/v1/embed", files=[("photos", b"GIF89a"), ("photos", photo(0))])
    assert answer.status_code == 200
    spoilt, whole = answer.json()["photos"]
    assert (spoilt["error"]["reason"], spoilt["faces"]) == ("corrupt", [])
    assert (whole["error"], len(whole["faces"])) == (None, 1)


def test_limits_and_unusable_photos(client: TestClient, photo: Photo) -> None:
    many = client.post("/v1/embed", json={"photos": [base64.b64encode(photo(0)).decode()] * 5})
    crowd = client.post("/v1/embed", files={"photos": photo(0, 10, 20)}, data={"every": "true"})
    text = client.post("/v1/embed", files={"photos": b"not a photo"})
    none = client.post("/v1/embed", json={"photos": []})
    found = [(a.status_code, a.json()["error"]["reason"]) for a in (many, crowd, text, none)]
    assert found == [
        (413, "too_many_photos"),
        (413, "too_many_faces"),
        (415, "unsupported"),
        (422, "invalid"),
    ]
