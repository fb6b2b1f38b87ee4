from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from service.api.schemas import EnrolAnswer, PeopleAnswer, PersonPhotosAnswer, RemovalAnswer

Photo = Callable[..., bytes]
NASTY = (
    "Robert'); DROP TABLE gallery_people;--",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a/b",
    "50% & more?#",
    "Ada ☃",
)


def enrol(client: TestClient, name: str, *photos: bytes, **fields: str) -> EnrolAnswer:
    answer = client.post("/v1/people", data={"name": name, **fields}, files=[("photos", p) for p in photos])
    assert answer.status_code == 201, answer.text
    return EnrolAnswer.model_validate(answer.json())


def listed(client: TestClient) -> list[str]:
    return [person.name for person in PeopleAnswer.model_validate(client.get("/v1/people").json()).people]


def test_enrol_list_show_and_remove(client: TestClient, photo: Photo) -> None:
    first = enrol(client, "Ada Lovelace", photo(0), photo(1), b"spoilt")
    assert (len(first.added), [entry.photo for entry in first.rejected]) == (2, [2])
    again = enrol(client, "ADA  LOVELACE", photo(1), photo(2), keep="true")
    assert (len(again.added), len(again.already), again.person.photos) == (1, 1, 3)
    assert listed(client) == ["Ada Lovelace"]
    shown = PersonPhotosAnswer.model_validate(client.get("/v1/people/Ada Lovelace").json())
    assert [entry.stored for entry in shown.photo_list] == [False, False, True]
    assert {entry.by for entry in shown.photo_list} == {"local"}
    one = client.delete(f"/v1/people/Ada Lovelace?photo={first.added[0]}")
    assert RemovalAnswer.model_validate(one.json()).gone is False
    rest = RemovalAnswer.model_validate(client.delete("/v1/people/ada lovelace").json())
    assert (rest.photos, rest.gone) == (2, True)
    assert listed(client) == []


def test_what_the_checks_find_is_reported_and_refused_if_they_are_strict(
    client: TestClient, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(client, "Ada", photo(0))
    other = enrol(client, "Somebody else", photo(0), b"spoilt")
    assert [(found.photo, found.check) for found in other.findings] == [(0, "other_name")]
    assert "the same photo is enrolled as 'Ada'" in other.findings[0].message
    client.delete("/v1/people/Somebody else")
    gallery = client.app.state.context.galleries._gallery
    monkeypatch.setattr(gallery, "_settings", replace(gallery.settings, checks="strict"))
    answer = client.post("/v1/people", data={"name": "Somebody else"}, files={"photos": photo(0)})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (422, "refused")
    assert "photo 1: the same photo is enrolled as 'Ada'" in answer.json()["error"]["message"]
    assert listed(client) == ["Ada"]
    client.delete("/v1/people/Ada")


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_only_a_name(client: TestClient, photo: Photo, name: str) -> None:
    assert enrol(client, name, photo(0)).person.name == name
    path = f"/v1/people/{quote(name, safe='')}"
    assert client.get(path).json()["name"] == name
    assert client.get("/v1/people", params={"search": name}).json()["total"] == 1
    assert client.delete(path).json()["gone"] is True
    assert client.get(path).status_code == 404
    assert listed(client) == []


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("", 422, "invalid"),
        ("x" * 201, 422, "invalid"),
        ("a\nb", 422, "invalid_name"),
        ("  ", 422, "invalid_name"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused(
    client: TestClient, photo: Photo, name: str, status: int, reason: str
) -> None:
    answer = client.post("/v1/people", data={"name": name}, files={"photos": photo(0)})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (status, reason)


def test_without_a_usable_photo_nobody_is_enrolled(client: TestClient) -> None:
    answer = client.post("/v1/people", data={"name": "Ada"}, files={"photos": b"text"})
    assert (answer.status_code, answer.json()["error"]["reason"]) == (415, "unsupported")
    assert listed(client) == []


def test_pages_of_people(client: TestClient, photo: Photo) -> None:
    for name in ("Ada", "Bea", "Cleo"):
        enrol(client, name, photo(0))
    first = client.get("/v1/people?limit=2").json()
    rest = client.get("/v1/people", params={"limit": 2, "after": first["next"]}).json()
    assert [person["name"] for person in first["people"] + rest["people"]] == ["Ada", "Bea", "Cleo"]
    assert (first["total"], rest["next"]) == (3, None)
    assert client.get("/v1/people?limit=0").status_code == 422
    for name in ("Ada", "Bea", "Cleo"):
        client.delete(f"/v1/people/{name}")


def test_unknown_people_and_photos(client: TestClient, photo: Photo) -> None:
    unknown = client.get("/v1/people/Nobody")
    assert (unknown.status_code, unknown.json()["error"]["message"]) == (
        404,
        "Nobody of that name is enrolled.",
    )
    assert client.delete("/v1/people/Nobody").status_code == 404
    enrol(client, "Ada", photo(0))
    wrong = client.delete("/v1/people/Ada?photo=ffff")
    assert (wrong.status_code, wrong.json()["error"]["reason"]) == (404, "unknown_photo")
    client.delete("/v1/people/Ada")
