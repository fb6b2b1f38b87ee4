"""What a running app logs of its answers."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.decisions import Decisions
from service.api.models import Source
from service.api.settings import Settings
from service.api.tokens import TokenStore
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.writer import DecisionLog
from tests.waiting import wait_for

NAME = "Zebedee Quill"
Photo = Callable[..., bytes]


def serving(face_model: FaceModel, folder: Path, place: str) -> Iterator[TestClient]:
    log = DecisionLog(lambda: DecisionStore.open(place), keep_days=7)
    app = create_app(
        Settings(), TokenStore(), Source(lambda: face_model), folder / "gallery.db", Decisions(log, "gate")
    )
    with TestClient(app, base_url="http://localhost") as client:
        wait_for(lambda: client.get("/readyz").status_code == 200, 60)
        yield client


def test_each_answer_is_a_row_without_names_and_photos(
    face_model: FaceModel, photo: Photo, tmp_path: Path
) -> None:
    path = tmp_path / "decisions.db"
    for client in serving(face_model, tmp_path, str(path)):
        client.post("/v1/people", files={"photo": photo(0)}, data={"name": NAME})
        client.post("/v1/verify", files={"left": photo(0), "right": photo(10)})
        client.post("/v1/verify", files={"left": photo(0), "right": b"no photo"})
        client.post("/v1/identify", files={"photo": photo(0, 10)})
        client.post("/v1/embed", files={"photos": photo(20)})
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT kind, decision, site, main, latency, side, other_side FROM monitoring_decisions "
            "ORDER BY id"
        ).fetchall()
    kinds = [(kind, decision) for kind, decision, *_ in rows]
    assert kinds[1] == ("verify", "rejected")
    assert [kind for kind, _ in kinds][2:] == ["identify", "identify", "embed"]
    assert kinds[-1] == ("embed", "none")
    assert sum(main for _, _, _, main, *_ in rows[2:4]) == 1  # the larger of two faces
    assert {site for _, _, site, *_ in rows} == {"gate"}
    assert all(latency > 0 for *_, latency, _, _ in rows)
    assert rows[0][-1] > 0
    content = path.read_bytes()
    assert NAME.encode() not in content
    assert b"\xff\xd8\xff" not in content  # the start of a JPEG


@pytest.mark.parametrize("place", ["postgresql://ann:secret@127.0.0.1:9/log", "/dev/null/x.db"])
def test_a_dead_database_does_not_break_an_answer(
    face_model: FaceModel, photo: Photo, tmp_path: Path, place: str
) -> None:
    for client in serving(face_model, tmp_path, place):
        answer = client.post("/v1/verify", files={"left": photo(0), "right": photo(10)})
        assert answer.status_code == 200
        assert "facenet_decisions_dropped_total 0.0" in client.get("/metrics").text
