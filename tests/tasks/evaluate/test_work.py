"""Reading faces from the table, and embedding in other processes."""

import json
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from facenet.embedder import Embedder
from facenet.model import load_model
from tasks.evaluate.work import Worker, find_locations, load_worker, read_locations
from tasks.shards import read_table

Workspace = Any


def test_faces_come_in_the_order_of_the_table(workspace: Workspace) -> None:
    photos = {workspace.ids[name] for name in ("s9/s9_0001", "s1/s1_0004", "s4/s4_0002")} | {"unknown"}
    places = find_locations(workspace.paths["aligned"], photos)
    table = read_table(workspace.paths["aligned"], "faces", ["image_id"])["image_id"].to_pylist()
    assert [place.image_id for place in places] == [i for i in table if i in photos]
    assert len(places) == 3
    for pixels in read_locations(workspace.paths["aligned"], places):
        assert (pixels.shape, pixels.dtype) == ((100, 100, 3), np.uint8)


def test_another_process_computes_the_same_bytes_for_any_jobs(workspace: Workspace) -> None:
    paths = {key: workspace.paths[key] for key in ("weights", "card", "aligned")}
    network, card = load_model(paths["weights"], paths["card"])
    embedder = Embedder(network, image_size=card.network.image_size, batch_size=16)
    places = find_locations(paths["aligned"], set(workspace.ids.values()))
    here = Worker(embedder, paths["aligned"], True)(places)
    make = partial(load_worker, device="cpu", precision="fp32", batch_size=16, flip=True, **paths)
    there = pickle.loads(pickle.dumps(make))()
    for index in (0, 7, 39):
        ((face, flipped),) = there([places[index]])
        np.testing.assert_array_equal(face, here[index][0])
        np.testing.assert_array_equal(flipped, here[index][1])
    assert load_worker(**make.keywords | {"flip": False})(places[:1])[0][1] is None


def test_another_process_applies_the_standardisation_of_the_card(
    workspace: Workspace, tmp_path: Path
) -> None:
    card = json.loads(workspace.paths["card"].read_text())
    other = tmp_path / "model.json"
    other.write_text(json.dumps(card | {"standardisation": "per_image"}))
    aligned, weights = workspace.paths["aligned"], workspace.paths["weights"]
    options: dict[str, Any] = {"device": "cpu", "precision": "fp32", "batch_size": 8, "flip": False}
    worker = load_worker(weights, other, aligned=aligned, **options)
    places = find_locations(aligned, {workspace.ids["s9/s9_0001"]})
    network, read = load_model(weights, other)
    size = read.network.image_size
    embedder = Embedder(network, image_size=size, batch_size=8, standardisation="per_image")
    expected = embedder.embed(np.stack(list(read_locations(aligned, places))))
    np.testing.assert_array_equal(worker(places)[0][0], expected[0])
