"""Fifty suspects decided by keyboard in a real browser, and what ingest makes of the decisions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from service.api.server import listen
from service.api.settings import Settings
from service.review.app import create_app
from service.review.reviewing import Review
from tasks.labels.decisions import read_decisions
from tests.axe import violations
from tests.browser import Tab, chromium
from tests.service.review.workspaces import Photos, Workspace, review_of, workspace
from tests.waiting import wait_for


@contextmanager
def served(review: Review) -> Iterator[str]:
    """Serve a review, and yield the address."""
    app = create_app(review, Settings())
    with listen(Settings(port=0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: server.started, 60)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def accepted(tab: Tab, address: str) -> None:
    """Check that the page fits, complained about nothing, and requested nothing from elsewhere."""
    assert tab.value("document.documentElement.scrollWidth <= innerWidth")
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith((address, "data:", "about:"))] == []
    assert violations(tab) == []


def press(tab: Tab, key: str) -> None:
    """Press a letter, and wait until the focused suspect has been answered."""
    tab.press(key, ord(key.upper()), key)
    tab.wait("document.querySelector('.sending') === null")


def click(tab: Tab, selector: str) -> None:
    """Click on an element of the focused suspect with the mouse, and wait for the answer."""
    box = f"document.activeElement.querySelector('{selector}').getBoundingClientRect()"
    place = {side: tab.value(f"{box}.{side} + 5") for side in ("x", "y")}
    for event in ("mousePressed", "mouseReleased"):
        tab.ask("Input.dispatchMouseEvent", type=event, button="left", clickCount=1, **place)
    tab.wait("document.querySelector('.decided') !== null")


def decided_by_another(tab: Tab, made: Workspace) -> str:
    """Check that a decision which another reviewer made since is shown, and stays."""
    focused = "document.activeElement"
    key = tab.value(f"{focused}.id").removeprefix("s-")
    ((digest, _),) = review_of(made).state().suspects[key].photos
    review_of(made, who="dan").decide(key, "move", made.truth[digest])
    press(tab, "d")
    assert tab.value(f"{focused}.id") == f"s-{key}"
    assert "Not written: dan decided at" in tab.value(f"{focused}.querySelector('.error').innerText")
    assert "by dan, 2" in tab.value(f"{focused}.querySelector('.verdict').innerText")
    tab.press("ArrowDown", 40)
    return "m"


def decide(tab: Tab, made: Workspace) -> str:
    """Decide the suspect that has the focus by what its photo shows, and return the key that was pressed."""
    title = tab.value("document.activeElement.querySelector('h2').innerText")
    about = tab.value("document.activeElement.querySelector('.about').innerText")
    shown = tab.value("document.activeElement.querySelector('img.large')?.src.split('/').at(-1) ?? null")
    if shown is None:
        key = "g" if title.startswith("s1 too") else "k"
    elif about.startswith("unusable"):
        key = "d"
    elif about.startswith("merged"):
        key = "s"
    else:
        key = "k" if made.truth[shown] == made.label[shown] else "m"
    press(tab, key)
    return key


@pytest.mark.slow
def test_fifty_suspects_decided_by_keyboard_and_applied(tmp_path: Path, orl_photos: Photos) -> None:
    made = workspace(tmp_path / "workspace", orl_photos)
    with served(review_of(made)) as address, chromium(tmp_path / "chromium") as tab:
        tab.open(address, width=390)
        accepted(tab, address)
        tab.open(address, width=1280, scheme="dark")
        accepted(tab, address)

        tab.press("ArrowDown", 40)
        click(tab, "button[value=drop]")  # a mistake
        assert tab.value("document.querySelector('#progress strong').innerText") == "1 of 50 reviewed"
        tab.follow("u", 85, "u")
        tab.wait("document.activeElement.matches('.suspect.open')")  # the one that is open again
        assert read_decisions(made.decisions) == []
        keys = [decided_by_another(tab, made)]
        tab.complaints.clear()  # Chromium logs the refusal

        while tab.value("document.activeElement.matches('.suspect.open')"):
            if len(keys) == 30:  # nothing is lost by a reload
                tab.open(f"{address}/#", width=1280)
                tab.press("ArrowDown", 40)
            keys.append(decide(tab, made))
            if tab.value("document.activeElement.id") == "next":
                accepted(tab, address)
                tab.follow()
        assert len(keys) == 50
        assert "Nothing is left to review." in tab.value("document.body.innerText")
        progress = tab.value("document.querySelector('#progress').innerText")
        assert "50 of 50 reviewed, 0 remaining" in progress
        assert "Precision of the reviewed: 88 % (76 to 94 %), 44 of 50 confirmed." in progress
        accepted(tab, address)

    report = made.ingest()
    assert report["decisions"]["rows"] == {"keep": 6, "drop": 2, "move": 40, "merge": 1, "split": 10}
    rows = {row["image_id"]: row for row in made.manifest()}
    assert sum(row["status"] == "dropped" for row in rows.values()) == 2
    truth = made.truth | dict.fromkeys(made.of("s3"), "s2 (2)")
    wrong = [row for digest, row in rows.items() if row["identity"] != truth[digest]]
    assert wrong == []
    assert rows[made.of("s3")[0]]["reason"].endswith("(eve): audit: merged, probability 0.80.")
    made.align()  # the data changes under the page
    assert review_of(made).state().progress[0].decided == 50


def test_requests_of_other_sites_and_large_bodies_are_refused(small: Workspace) -> None:
    client = TestClient(create_app(review_of(small), Settings()), base_url="http://localhost")
    form = {"key": "0" * 16, "action": "keep"}
    foreign = client.post("/decide", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert client.get("/", headers={"Host": "faces.example.org"}).status_code == 421
    assert client.post("/decide", data=form | {"target": "x" * 70_000}).status_code == 413
    policy = client.get("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
