import base64

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from service.api.problems import add_problem_handlers
from service.api.settings import Limits
from service.api.uploads import PhotoBytes, Upload, read_upload, request_body


class Two(Upload):
    """A name and photos."""

    name: str
    photos: list[PhotoBytes]
    cover: PhotoBytes = b""


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    add_problem_handlers(app)

    @app.post("/", openapi_extra=request_body(Two))
    async def take(request: Request) -> dict[str, object]:
        found = await read_upload(request, Two, Limits(photos=3))
        return {
            "name": found.name,
            "sizes": [len(photo) for photo in found.photos],
            "cover": len(found.cover),
        }

    return TestClient(app)


def test_form_and_json_give_the_same(client: TestClient) -> None:
    photos = [b"\x00\xff" * 5, b"second"]
    form = client.post("/", data={"name": "Ada"}, files=[("photos", photo) for photo in photos])
    encoded = [base64.b64encode(photo).decode() for photo in photos]
    encoded[1] = f"data:image/png;base64,{encoded[1]}"
    assert form.json() == {"name": "Ada", "sizes": [10, 6], "cover": 0}
    assert client.post("/", json={"name": "Ada", "photos": encoded}).json() == form.json()


def test_a_large_photo_does_not_touch_the_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    answer = client.post("/", data={"name": "Ada"}, files={"photos": bytes(5_000_000)})
    assert answer.json()["sizes"] == [5_000_000]


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"{", "application/json", 400, "Invalid JSON"),
        (b'{"name": "Ada", "photos": ["?"]}', "application/json", 422, "photos.0: "),
        (b'{"name": 1, "photos": []}', "application/json", 422, "name: "),
        (b'{"name": "A", "photos": [], "secret": 1}', "application/json", 422, "secret: "),
        (b"[" * 100_000, "application/json", 400, ""),
        (b"\xff\xfe", "application/json", 400, ""),
        (b"name=Ada", "application/x-www-form-urlencoded", 415, "multipart/form-data"),
        (b"", "", 415, "multipart/form-data"),
        (b"x", "multipart/form-data", 400, "damaged"),
        (b"x", "multipart/form-data; boundary=b", 400, "damaged"),
        (
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAd',
            "multipart/form-data; boundary=b",
            422,
            "name: ",
        ),
    ],
)
def test_damaged_bodies_get_a_clear_4xx(
    client: TestClient, body: bytes, kind: str, status: int, words: str
) -> None:
    answer = client.post("/", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (status, True), answer.text


def test_too_many_parts_get_413(client: TestClient) -> None:
    files = [("photos", b"x")] * 4
    assert client.post("/", data={"name": "Ada"}, files=files).status_code == 413
    fields = {f"f{number}": "" for number in range(40)}
    assert client.post("/", data=fields, files=[("photos", b"x")]).status_code == 413
    assert client.post("/", data={"name": "A" * 100_000}, files=[("photos", b"x")]).status_code == 413


def test_a_field_given_twice_is_named(client: TestClient) -> None:
    answer = client.post("/", data={"name": ["Ada", "Eve"]}, files=[("photos", b"x")])
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "name: given 2 times"


def test_openapi_shows_files_in_forms_and_base64_in_json(client: TestClient) -> None:
    content = client.get("/openapi.json").json()["paths"]["/"]["post"]["requestBody"]["content"]
    formats = {
        kind: entry["schema"]["properties"]["photos"]["items"]["format"] for kind, entry in content.items()
    }
    assert formats == {"multipart/form-data": "binary", "application/json": "byte"}
