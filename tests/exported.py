"""The pretrained model, exported once for all test processes, and a model that exports in a second."""

import fcntl
import os
from pathlib import Path
from typing import ClassVar

import pytest


def exported_folder(base: Path) -> Path:
    """Return the export of the pretrained model in `base`, which processes share; the first one writes it."""
    from facenet import pretrained
    from facenet.export import export

    folder, done = base / "exported", base / "exported.done"
    with (base / "exported.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            export(pretrained.folder(), folder)
            done.touch()
    return folder


def shared_base(factory: pytest.TempPathFactory) -> Path:
    """Return a folder of this run of pytest; with pytest-xdist all its processes have the same one."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def write_tiny_model(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Write a model of whole photos to `folder`; its network of one layer is known while `patch` lasts."""
    import torch

    from facenet import networks
    from facenet.model import CARD, WEIGHTS, ModelCard, NetworkCard, save_model
    from facenet.networks.embedding import EmbeddingNetwork
    from facenet.pretrained.card import ALIGN

    class Tiny(EmbeddingNetwork):
        variants: ClassVar[dict[str, str]] = {"only": "one layer"}
        published_image_size = min_image_size = 8
        published_embedding_size = 4

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            self.last_linear = torch.nn.Linear(3, self.embedding_size)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.last_linear(images.mean((2, 3)))

    patch.setitem(networks.NETWORKS, "tiny", Tiny)
    spec = NetworkCard(name="tiny", embedding_size=4, image_size=8)
    card = ModelCard(network=spec, align={**ALIGN, "method": "none"})
    save_model(networks.build("tiny"), card, weights=folder / WEIGHTS, card_path=folder / CARD)
