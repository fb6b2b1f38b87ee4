"""Every flow of the pages in a real browser, by keyboard alone, and without scripts by a plain client."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.models import Source
from service.api.settings import Settings
from service.api.tokens import TokenStore
from service.pages.router import add_pages
from tests.browser import Tab
from tests.service.pages.serving import accepted, served
from tests.waiting import wait_for

Photo = Callable[..., bytes]
PAGES = ("/", "/identify", "/people", "/model", "/login")


@pytest.fixture(scope="module")
def address(face_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(face_model, tmp_path_factory.mktemp("pages") / "gallery.db") as found:
        yield found


@pytest.fixture
def files(photo: Photo, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path, number in zip(paths, (0, 0, 10), strict=True):
        path.write_bytes(photo(number))
    return paths


@pytest.mark.slow
def test_every_flow_by_keyboard_alone(tab: Tab, address: str, files: list[Path]) -> None:
    tab.open(f"{address}/", width=390)
    for name, file in (("left", files[0]), ("right", files[1])):
        tab.tab_to(f"input[name={name}]")
        tab.choose(file)
    tab.tab_to("form button")
    tab.press("Enter", 13, "\r")
    tab.wait("document.querySelector('.answer') !== null")
    assert tab.value("document.querySelector('.answer').innerText") == "Same person"
    assert tab.value("document.querySelectorAll('#result .box').length") == 2
    accepted(tab, address)

    tab.open(f"{address}/people", width=390)
    tab.tab_to("input[name=name]")
    tab.type("Ada <b>Lovelace</b>")
    tab.tab_to("input[name=photos]")
    tab.choose(files[0])
    tab.tab_to("form[action='/people'] button")
    tab.follow()
    assert "1 new" in tab.value("document.querySelector('.answer').innerText")
    accepted(tab, address)

    tab.open(f"{address}/identify", width=390, scheme="dark")
    tab.tab_to("input[name=photo]")
    tab.choose(files[1])
    tab.tab_to("form button")
    tab.press("Enter", 13, "\r")
    tab.wait("document.querySelector('.faces strong') !== null")
    assert tab.value("document.querySelector('.faces strong').innerText") == "Ada <b>Lovelace</b>"
    accepted(tab, address)

    tab.open(f"{address}/people", width=1280)
    tab.tab_to(".people a")
    tab.follow()
    accepted(tab, address)
    tab.tab_to("input[type=checkbox]")
    tab.press(" ", 32, " ")
    tab.tab_to("button.danger")
    tab.follow()
    assert tab.value("document.querySelectorAll('.people li').length") == 0


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_phones_and_have_no_obstacles(tab: Tab, address: str, scheme: str) -> None:
    for page in PAGES:
        for width in (390, 1280):
            tab.open(f"{address}{page}", width=width, scheme=scheme)
            assert tab.value("document.documentElement.scrollWidth <= innerWidth"), (page, width)
        accepted(tab, address)


@pytest.mark.slow
def test_the_page_of_the_pretrained_model_shows_card_and_evaluation(tab: Tab, tmp_path: Path) -> None:
    model = FaceModel.load("pretrained")
    tab.requests.clear()  # those to the other server
    with served(model, tmp_path / "gallery.db") as address:
        tab.open(f"{address}/model", width=390, scheme="dark")
        shown = tab.value("document.querySelector('main').innerText")
        assert "CC0 1.0, public domain" in shown
        assert "What it must not be used for" in shown
        assert tab.value("document.querySelectorAll('.same').length") > 10
        assert model.matcher is not None
        assert model.matcher.identification is not None
        rows = tab.value("document.querySelectorAll('.scroll tbody tr').length")
        assert rows == len(model.matcher.identification.sizes)
        assert tab.value("document.documentElement.scrollWidth <= innerWidth")
        accepted(tab, address)


@pytest.fixture
def plain(face_model: FaceModel, tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(Settings(), TokenStore(), Source(lambda: face_model), tmp_path / "gallery.db")
    add_pages(app)
    with TestClient(app, base_url="http://localhost") as client:
        wait_for(lambda: client.get("/readyz").status_code == 200, 60)
        yield client


def test_forms_work_without_scripts(plain: TestClient, photo: Photo) -> None:
    same = plain.post("/", files={"left": photo(0), "right": photo(0)})
    assert (same.status_code, "Same person" in same.text) == (200, True)
    spoilt = plain.post("/", files={"left": photo(0), "right": b"text"})
    assert (spoilt.status_code, "right photo: " in spoilt.text) == (415, True)
    nobody = plain.post("/identify", files={"photo": photo(0)})
    assert "Unknown" in nobody.text
    name = "<script>alert(1)</script>"
    enrolled = plain.post("/people", data={"name": name}, files={"photos": photo(0)})
    assert enrolled.status_code == 200
    assert "<script>alert" not in enrolled.text
    assert "&lt;script&gt;alert(1)" in plain.get("/person", params={"name": name}).text
    removed = plain.post("/person/remove", data={"name": name})
    assert (removed.status_code, "0 people" in removed.text) == (200, True)
    assert plain.get("/person", params={"name": name}).status_code == 404
    foreign = plain.post("/person/remove", data={"name": name}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
