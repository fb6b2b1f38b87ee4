"""The pretrained model, exported once for all test processes, and a model that exports in a second."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest

# About what LFW View 2 gives for this model.
CALIBRATED: dict[str, Any] = {
    "protocol": "LFW View 2",
    "metric": "cosine",
    "flip": "mean",
    "mean": None,
    "slope": 60.0,
    "intercept": 5.2,
    "threshold": 0.0873,
}


def exported_folders(base: Path) -> tuple[Path, Path]:
    """Return the pretrained model with a calibration, and its export; the first process writes both.

    base: a folder that the processes share.
    """
    from facenet import pretrained
    from facenet.export import export
    from facenet.matching import Matcher
    from facenet.model import CALIBRATION, CARD, ModelCard

    model, folder, done = (base / name for name in ("evaluated", "exported", "exported.done"))
    with (base / "exported.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.copytree(pretrained.folder(), model)
            sha256 = ModelCard.read(model / CARD).weights_sha256
            Matcher(weights_sha256=sha256, **CALIBRATED).write(model / CALIBRATION)
            export(model, folder)
            done.touch()
    return model, folder


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
