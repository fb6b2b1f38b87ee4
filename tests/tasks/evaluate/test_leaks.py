"""Planted leaks: a person under another spelling, a re-encoded photo, an identical face."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facenet.embedder import Embedder
from facenet.images import encode
from tasks.evaluate.stage import run
from tasks.params.evaluate import EvaluateParams
from tasks.params.sources import OrlSource

Workspace = Any


def trained_row(workspace: Workspace, name: str, identity: str, image: bytes) -> dict[str, Any]:
    """Return a training face with the geometry of `name`, of another person and file."""
    (row,) = (row for row in workspace.faces() if row["image_id"] == workspace.ids[name])
    digest = hashlib.sha256(identity.encode() + image).hexdigest()
    return {**row, "identity": identity, "role": "train", "image": image, "image_id": digest}


def stored(workspace: Workspace, name: str) -> np.ndarray:
    (row,) = (row for row in workspace.faces() if row["image_id"] == workspace.ids[name])
    return np.asarray(Image.open(BytesIO(row["image"])).convert("RGB"))


def jpeg(pixels: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=70)
    return encode(np.asarray(Image.open(BytesIO(buffer.getvalue()))), "png")


@pytest.fixture
def others(workspace: Workspace, orl_photos: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Training faces of other people than the evaluated ones."""
    rows = []
    for identity, data in orl_photos[200:260:2]:
        pixels = np.asarray(Image.open(BytesIO(data)).convert("RGB").resize((100, 100)))
        rows.append(trained_row(workspace, "s2/s2_0001", identity, encode(pixels, "png")))
    return rows


def evaluate(workspace: Workspace, params: EvaluateParams, rows: list[dict[str, Any]]) -> dict[str, Any]:
    people = sorted({row["identity"] for row in rows})
    workspace.with_faces([*workspace.faces(), *rows]).with_trained(*people)
    return run(params, workspace.files, device="cpu", seed=7, sources=(OrlSource(kind="orl"),))


def leaks(workspace: Workspace) -> pd.DataFrame:
    return pd.read_csv(workspace.paths["reports"] / "leaks.csv", keep_default_na=False)


def test_other_people_are_not_leaks(
    workspace: Workspace, params: EvaluateParams, others: list[dict[str, Any]]
) -> None:
    metrics = evaluate(workspace, params, others)
    names = ("leaked_names", "leaked_people_alike", "leaked_photos_equal", "leaked_photos_alike")
    assert [metrics[name] for name in names] == [0, 0, 0, 0]
    assert (metrics["leak_photos_compared"], metrics["leak_people_compared"]) == (30, 6)
    assert 0.55 <= metrics["leak_people_cosine"] < 1
    assert "leak_warning" not in metrics
    assert leaks(workspace).empty
    assert min(Image.open(workspace.paths["reports"] / "leaks.png").size) > 200


def test_planted_leaks_are_found(
    workspace: Workspace,
    params: EvaluateParams,
    others: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    again = trained_row(workspace, "s7/s7_0002", "Somebody", jpeg(stored(workspace, "s7/s7_0002")))
    equal = trained_row(workspace, "s4/s4_0003", "Else", encode(stored(workspace, "s4/s4_0003"), "png"))
    other = trained_row(workspace, "s2/s2_0001", "Ś 3", others[0]["image"])
    metrics = evaluate(workspace, params, [*others[1:], again, equal, other])
    assert (metrics["leaked_names"], metrics["identity_overlap"]) == (1, 1)
    assert (metrics["leaked_photos_equal"], metrics["leaked_photos_alike"]) == (1, 1)
    found = leaks(workspace).set_index("found_by")
    assert tuple(found.loc["name", ["evaluated", "trained"]]) == ("s3", "Ś 3")
    assert found.loc["name", "trained_photo"] == other["image_id"]
    assert found.loc["name", "evaluated_photo"] in {workspace.ids[f"s3/s3_000{n}"] for n in (1, 2, 3, 4)}
    assert tuple(found.loc["similarity", ["evaluated", "trained"]]) == ("s7", "Somebody")
    assert found.loc["similarity", "evaluated_photo"] == workspace.ids["s7/s7_0002"]
    assert float(found.loc["similarity", "cosine"]) > 0.98
    assert tuple(found.loc["digest", ["evaluated", "trained"]]) == ("s4", "Else")
    assert "2 EVALUATED PHOTOS WERE TRAINED ON" in caplog.text


def test_leak_photos_limits_the_comparison(
    workspace: Workspace, params: EvaluateParams, others: list[dict[str, Any]]
) -> None:
    metrics = evaluate(workspace, params.model_copy(update={"leak_photos": 10}), others)
    assert (metrics["leak_photos_compared"], metrics["leak_photos_trained"]) == (10, 30)
    none = params.model_copy(update={"leak_photos": 0})
    metrics = run(none, workspace.files, device="cpu", seed=7, sources=(OrlSource(kind="orl"),))
    assert (metrics["leak_photos_compared"], metrics["leak_people_compared"]) == (0, 0)
    assert metrics["leak_warning"] == "NO PHOTOS WERE COMPARED FOR LEAKS: evaluate.leak_photos is 0"


def test_weights_that_were_not_trained_here_say_what_was_not_compared(
    workspace: Workspace,
    params: EvaluateParams,
    others: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    workspace.with_card(params={"train": {"epochs": 0}})
    metrics = run(params, workspace.files, device="cpu", seed=7, sources=(OrlSource(kind="orl"),))
    unknown = "the weights were not trained here, and the photos that they were trained on are unknown"
    assert metrics["leak_warning"] == f"NO PHOTOS WERE COMPARED FOR LEAKS: {unknown}"
    assert metrics["leak_warning"] in caplog.text
    equal = trained_row(workspace, "s4/s4_0003", "Else", encode(stored(workspace, "s4/s4_0003"), "png"))
    metrics = evaluate(workspace, params, [*others, equal])
    assert metrics["leak_warning"] == f"ONLY 31 PHOTOS WERE COMPARED: {unknown}"
    assert (metrics["leaked_photos_equal"], metrics["identity_overlap"]) == (1, 0)
    assert "1 EVALUATED PHOTOS ARE AMONG THE TRAINING PHOTOS" in caplog.text


def test_a_renamed_person_with_other_photos_is_found(
    workspace: Workspace,
    params: EvaluateParams,
    others: list[dict[str, Any]],
    orl_photos: list[tuple[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """s6 is evaluated on photos 1 to 4; photos 5 to 10 train as Nobody.

    Embeddings are grey values around those of the mean face, which separate people where an untrained network
    does not.
    """
    pixels = [
        np.asarray(Image.open(BytesIO(data)).convert("RGB").resize((100, 100))) for _, data in orl_photos
    ]
    mean = grey(pixels).mean(axis=0)
    renamed = [trained_row(workspace, "s6/s6_0001", "Nobody", encode(face, "png")) for face in pixels[54:60]]
    monkeypatch.setattr(Embedder, "embed", lambda _, faces: grey(faces) - mean)
    metrics = evaluate(workspace, params.model_copy(update={"flip": "none"}), [*others, *renamed])
    assert (metrics["leaked_people_alike"], metrics["leaked_photos_equal"]) == (1, 0)
    found = leaks(workspace).set_index("found_by")
    assert tuple(found.loc["person", ["evaluated", "trained"]]) == ("s6", "Nobody")
    assert float(found.loc["person", "cosine"]) >= metrics["leak_people_cosine"]
    assert "1 EVALUATED PEOPLE MAY BE IN TRAINING UNDER ANOTHER NAME" in caplog.text


def grey(faces: Sequence[np.ndarray]) -> np.ndarray:
    """Return the grey values of (H, W, 3) faces on a grid of 20 x 20, as (N, 400) float32."""
    small = [Image.fromarray(face).convert("L").resize((20, 20)) for face in faces]
    return np.stack([np.asarray(face, np.float32).ravel() for face in small])
