"""Real photos from a folder and from Parquet become rows with embeddings; what is unreadable is listed."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facenet.errors import SourceInvalid
from facenet.face_model import FaceModel
from tasks.commands import score as score_module
from tasks.commands.score import main, score
from tasks.monitoring.store import DecisionStore


def test_a_folder_becomes_rows_in_order_and_rejects_are_listed(
    champion: int, orl_photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(score_module, "BATCH", 2)
    monkeypatch.setenv("FACENET_MONITORING", str(tmp_path / "decisions.db"))
    photos = tmp_path / "photos"
    (photos / "ann").mkdir(parents=True)
    data = {"ann/2.pgm": orl_photos[1][1], "ann/1.pgm": orl_photos[0][1], "ünï.pgm": orl_photos[10][1]}
    for name, content in data.items():
        (photos / name).write_bytes(content)
    (photos / "torn.jpg").write_bytes(b"\xff\xd8\xff half a photo")
    (photos / "notes.txt").write_text("not a photo")
    out = tmp_path / "new" / "scores.parquet"
    main([str(photos), str(out), "--device", "cpu"])
    rows = pq.read_table(out).to_pylist()
    assert [row["id"] for row in rows] == ["ann/1.pgm", "ann/2.pgm", "ünï.pgm"]
    expected = FaceModel.load("models:/facenet/1", device="cpu").embed([data[row["id"]] for row in rows])
    for row, answer in zip(rows, expected, strict=True):
        assert np.allclose(row["embedding"], answer.embedding, atol=1e-6)
        assert (row["faces_found"], row["fallback"]) == (answer.faces_found, answer.fallback)
        assert row["probability"] == pytest.approx(answer.probability)
        assert (row["model"], row["version"]) == ("facenet", champion)
    (rejected,) = pq.read_table(out.with_name("scores.rejects.parquet")).to_pylist()
    assert rejected["id"] == "torn.jpg"
    assert rejected["reason"].startswith("corrupt")
    summary = json.loads(out.with_suffix(".json").read_text())
    assert (summary["photos"], summary["scored"], summary["rejected"]) == (4, 3, {"corrupt": 1})
    store = DecisionStore.open()
    logged = store.read(date(2000, 1, 1), date(2100, 1, 1))
    store.close()
    faces = ["no face" if row["fallback"] else "none" for row in rows]
    assert sorted(logged["decision"]) == sorted([*faces, "rejected"])
    assert (set(logged["site"]), set(logged["kind"])) == ({"batch"}, {"score"})


def test_a_parquet_file_gives_the_same_rows_as_a_folder(
    champion: int, orl_photos: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FACENET_MONITORING", "none")
    photos = [content for _, content in orl_photos[:2]]
    table = pa.table({"image_id": [7, 8, 9], "image": pa.array([*photos, None], pa.binary())})
    pq.write_table(table, tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    summary = score(tmp_path / "in.parquet", out, model="models:/facenet/1", device="cpu")
    assert (summary["scored"], summary["rejected"]) == (2, {"unreadable": 1})
    assert pq.read_table(out)["id"].to_pylist() == ["7", "8"]


def test_what_cannot_be_scored_is_named_before_a_model_is_loaded(tmp_path: Path) -> None:
    def refuses(photos: Path, words: str, out: str = "out.parquet") -> None:
        with pytest.raises(SourceInvalid, match=words):
            score(photos, tmp_path / out, model="models:/facenet/1", device="cpu")

    refuses(tmp_path / "nothing", "There are no photos at .*nothing")
    (tmp_path / "empty").mkdir()
    refuses(tmp_path / "empty", "empty: No photos in this folder or below it")
    refuses(tmp_path, "has to end in .parquet", "out.csv")
    (tmp_path / "text.parquet").write_text("text")
    refuses(tmp_path / "text.parquet", "neither a folder nor a Parquet file")
    pq.write_table(pa.table({"id": ["1"], "photo": [b"1"]}), tmp_path / "in.parquet")
    refuses(tmp_path / "in.parquet", "has the columns id, photo; a column `image`")
    pq.write_table(pa.table({"id": ["1"], "image": ["1"]}), tmp_path / "in.parquet")
    refuses(tmp_path / "in.parquet", "has to hold bytes, not string")
    refuses(tmp_path / "in.parquet", "would replace the photos", "in.parquet")
