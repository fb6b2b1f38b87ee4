"""dlib's network is found by name, trained on, and named with its licence in the model card."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from facenet.errors import DownloadFailed, WeightsInvalid
from facenet.model import load_model
from facenet.networks import dlib_file
from facenet.networks.dlib_file import NAME, SHA256, packaged_dlib_file
from facenet.networks.dlib_weights import read_dlib_weights
from tasks.commands.recipes import compose
from tasks.params import Params, parse_params
from tasks.train.init import find_init, origin
from tasks.train.inputs import record_inputs
from tasks.train.stage import run
from tests.tasks.train.conftest import SMALL, places, plan_triplets, small_params, write_faces

SIDE = 104  # of faces; the network takes 103 pixels


@pytest.mark.parametrize("name", ["dlib", NAME])
def test_dlibs_network_is_found_by_two_names(name: str, tmp_path: Path) -> None:
    assert find_init(name, downloads=tmp_path) == packaged_dlib_file()


def test_other_names_are_looked_up(tmp_path: Path) -> None:
    (tmp_path / "given.pt").write_bytes(b"weights")
    assert find_init("given.pt", downloads=tmp_path) == tmp_path / "given.pt"
    with pytest.raises(DownloadFailed, match=r"dlip was not found"):
        find_init("dlip", downloads=tmp_path, download=False)


def test_published_weights_have_an_origin() -> None:
    assert origin(SHA256)["licence"].startswith("CC0")
    assert origin("a" * 64) == origin(None) == {}


def test_its_digest_is_an_input_of_the_stage(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, target = small_params(root, train={"init": "dlib"}).train, tmp_path / "inputs.json"
    record_inputs(params, target)
    expected = {"init": {"name": "dlib", "sha256": SHA256}}
    assert json.loads(target.read_text()) == expected
    monkeypatch.setattr(dlib_file, "_package_folder", lambda: tmp_path)
    record_inputs(params, target)  # the model may come from DVC's cache
    assert json.loads(target.read_text()) == expected
    target.unlink()
    with pytest.raises(WeightsInvalid, match="pip install"):
        record_inputs(params, target)


def recipe(root: Path, name: str, **train: Any) -> Params:
    values = yaml.safe_load(compose(name, folder=root / "recipes"))
    values["base"] |= SMALL["base"]
    values["align"] |= {"image_size": SIDE}
    values["triplets"] |= {"validation_fraction": 0.25}
    values["train"] |= {"image_size": 103, **train}
    return parse_params(yaml.safe_dump(values))


@pytest.fixture
def larger(workspace: Path, orl_photos: list[tuple[str, bytes]]) -> Path:
    """The workspace with faces that are large enough."""
    shutil.rmtree(workspace / "data" / "aligned")
    write_faces(workspace / "data" / "aligned", orl_photos, SIDE)
    return workspace


def model(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The weights of the stage and the origin in its card."""
    network, card = load_model(folder / "models/facenet.safetensors", folder / "models/model.json")
    return network.state_dict(), card.origin


def test_pretrained_is_dlibs_network_unchanged_and_named_with_its_licence(larger: Path, root: Path) -> None:
    params = recipe(root, "pretrained")
    plan_triplets(larger, params)
    assert run(params, places(larger))["epochs"] == 0
    state, named = model(larger)
    assert all(torch.equal(state[key], value) for key, value in read_dlib_weights(find_init("dlib")).items())
    assert (named["licence"], named["sha256"]) == ("CC0 1.0, public domain", SHA256)


def test_finetune_trains_its_embedding_layer_on(larger: Path, root: Path) -> None:
    params = recipe(root, "finetune", epochs=1, batch_size=12)
    plan_triplets(larger, params)
    report = run(params, places(larger))
    assert report["steps"] == 2
    assert math.isfinite(report["loss"])
    before, (after, named) = read_dlib_weights(find_init("dlib")), model(larger)
    assert {key for key in after if not torch.equal(before[key], after[key])} == {"last_linear.weight"}
    assert named["author"] == "Davis E. King"
