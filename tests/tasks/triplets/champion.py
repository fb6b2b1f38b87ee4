"""A small model in a folder and in a registry, as triplets.embedder names them."""

import shutil
from pathlib import Path

import torch

from facenet import networks
from facenet.model import ModelCard, NetworkCard, save_model
from tasks.tracking import registry, start_run
from tasks.tracking.registry import Version


def write_model(folder: Path, *, seed: int = 1, image_size: int = 66) -> Path:
    """Write NN4.Small2 with fresh weights and its card to a new folder, and return it."""
    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    card = ModelCard(
        network=NetworkCard(name="nn4_small2", embedding_size=16, image_size=image_size),
        align={"image_size": 76},
    )
    network = networks.build("nn4_small2", embedding_size=16)
    save_model(network, card, weights=folder / "facenet.safetensors", card_path=folder / "model.json")
    return folder


def register(model: Path, *, digest: str, champion: bool = True) -> Version:
    """Make a model folder the next version of `facenet`, and the champion."""

    def save(folder: Path, model_id: str) -> None:
        shutil.copytree(model, folder / "artifacts")
        (folder / "MLmodel").write_text(f"model_id: {model_id}\n")

    run = start_run(name="trained", tags={})
    version = registry.create_version("facenet", run, save=save, tags={"digest": digest}, metrics={})
    if champion:
        registry.set_alias("facenet", "champion", version.number)
    return version
