"""Cards round-trip through the disk, and weights belong to their card."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from facenet import networks
from facenet.errors import WeightsInvalid
from facenet.model import ModelCard, NetworkCard, load_model, save_model

CARD = ModelCard(
    network=NetworkCard(name="nn4_small2", embedding_size=16, image_size=96),
    align={"image_size": 112, "thresholds": [0.6, 0.7, 0.7]},
    commit="0123abcd",
    params={"base": {"seed": 666}},
    data={"raw": "ab" * 32},
    mlflow={"run_id": "7" * 32},
)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return networks.build("nn4_small2", embedding_size=16).eval()


def saved(network: nn.Module, folder: Path) -> tuple[Path, Path]:
    weights, card = folder / "models" / "facenet.safetensors", folder / "models" / "model.json"
    save_model(network, CARD, weights=weights, card_path=card)
    return weights, card


def test_a_model_round_trips_through_the_disk(network: nn.Module, tmp_path: Path) -> None:
    weights, path = saved(network, tmp_path)
    loaded, card = load_model(weights, path)
    assert card == dataclasses.replace(CARD, weights_sha256=card.weights_sha256)
    assert card.run_id == "7" * 32
    assert not loaded.training
    x = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(2)) * 2 - 1
    assert torch.equal(networks.embed(loaded, x), networks.embed(network, x))


def test_saving_twice_gives_the_same_bytes(network: nn.Module, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in saved(network, tmp_path / "a")]
    second = [path.read_bytes() for path in saved(network, tmp_path / "b")]
    assert first == second
    assert sorted(p.name for p in (tmp_path / "a" / "models").iterdir()) == [
        "facenet.safetensors",
        "model.json",
    ]


def test_card_has_the_fields_other_programs_read(network: nn.Module, tmp_path: Path) -> None:
    fields = json.loads(saved(network, tmp_path)[1].read_text())
    assert next(iter(fields)) == "format"
    assert set(fields) == {
        *("format", "network", "standardisation", "align", "precision", "weights_sha256"),
        *("commit", "params", "selection", "data", "machine", "origin", "mlflow"),
    }
    assert fields["network"] == {
        "name": "nn4_small2",
        "embedding_size": 16,
        "image_size": 96,
        "dropout": 0.0,
        "variant": None,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a valid model card"),
        ("[]", "not a valid model card"),
        ('{"format": 2}', "format 2, expected 1"),
        ('{"format": 1}', "network"),
        ('{"format": 1, "network": {"name": "x"}, "align": {}}', "embedding_size"),
        (json.dumps({**json.loads(CARD.to_json()), "colour": "red"}), "colour"),
    ],
)
def test_a_broken_card_is_refused(text: str, message: str) -> None:
    with pytest.raises(WeightsInvalid, match=message):
        ModelCard.from_json(text)


def test_missing_files_are_named(network: nn.Module, tmp_path: Path) -> None:
    weights, card = saved(network, tmp_path)
    weights.unlink()
    with pytest.raises(WeightsInvalid, match=r"facenet\.safetensors"):
        load_model(weights, card)
    card.unlink()
    with pytest.raises(WeightsInvalid, match=r"model\.json"):
        load_model(weights, card)


def test_weights_of_another_model_are_refused(network: nn.Module, tmp_path: Path) -> None:
    weights, card = saved(network, tmp_path)
    torch.manual_seed(1)
    other = networks.build("nn4_small2", embedding_size=16)
    save_model(other, CARD, weights=weights, card_path=tmp_path / "elsewhere.json")
    with pytest.raises(WeightsInvalid, match="different models"):
        load_model(weights, card)


def test_a_card_with_an_unknown_standardisation_is_refused() -> None:
    text = dataclasses.replace(CARD, standardisation="whitened").to_json()
    with pytest.raises(WeightsInvalid, match=r"'whitened'.*fixed, per_image, none"):
        ModelCard.from_json(text)
