from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from service.api.schemas import IdentifyAnswer

Photo = Callable[..., bytes]


@pytest.fixture
def enrolled(client: TestClient, photo: Photo) -> Iterator[None]:
    for name, number in (("Ada", 0), ("Bea", 10)):
        client.post("/v1/people", data={"name": name}, files={"photos": photo(number)})
    yield
    for name in ("Ada", "Bea"):
        client.delete(f"/v1/people/{name}")


@pytest.mark.usefixtures("enrolled")
def test_every_face_gets_its_person(client: TestClient, photo: Photo) -> None:
    answer = client.post("/v1/identify", files={"photo": photo(0)})
    found = IdentifyAnswer.model_validate(answer.json(), strict=True)
    assert found.gallery_photos == 2
    (face,) = found.faces
    assert (face.name, face.best) == ("Ada", "Ada")
    assert face.distance == pytest.approx(0, abs=1e-5)
    both = client.post("/v1/identify", files={"photo": photo(0, 10)}).json()
    assert {face["best"] for face in both["faces"]} == {"Ada", "Bea"}


def test_an_empty_gallery_knows_nobody(client: TestClient, photo: Photo) -> None:
    (face,) = client.post("/v1/identify", files={"photo": photo(0)}).json()["faces"]
    assert (face["name"], face["candidates"]) == (None, [])
    assert face["reason"] == "the gallery is empty"


def test_unusable_requests(client: TestClient, photo: Photo) -> None:
    rate = client.post("/v1/identify", files={"photo": photo(0)}, data={"fpir": "0.01"})
    assert (rate.status_code, rate.json()["error"]["reason"]) == (422, "invalid")
    assert client.post("/v1/identify", files={"photo": b"text"}).status_code == 415
    assert client.post("/v1/identify", json={"photo": "???"}).status_code == 422
