"""Small untrained models as registered versions: a registry and a server work the same with them."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MODEL = "facenet"


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Set environment variables of this process until the block ends."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def register_model(folder: Path, seed: int, environment: Mapping[str, str]) -> int:
    """Register NN4.Small2 with random weights, by the stage's own function, and return its version.

    environment: MLFLOW_TRACKING_URI, and its user and password where needed.
    """
    import torch

    from facenet import networks
    from facenet.model import ModelCard, NetworkCard, save_model
    from tasks import register
    from tasks.params import load_params
    from tasks.params.register import PromotionParams, RegisterParams

    torch.manual_seed(seed)
    folder.mkdir()
    align = load_params().align.model_dump(mode="json")
    weights, card = folder / "facenet.safetensors", folder / "model.json"
    save_model(
        networks.build("nn4_small2", embedding_size=128),
        ModelCard(
            network=NetworkCard(name="nn4_small2", embedding_size=128, image_size=96),
            align={**align, "image_size": 96, "margin": 16},
            commit="0" * 40,
            params={"train": {"network": "nn4_small2", "seed": seed}},
            data={"raw": "a" * 64, "aligned": "b" * 64, "triplets": "c" * 64, "pairs": "d" * 64},
            mlflow={"run_id": None},
        ),
        weights=weights,
        card_path=card,
    )
    (folder / "evaluation.json").write_text('{"accuracy": 0.9}')
    with variables(**environment):
        register.run(
            params=RegisterParams(
                model=MODEL, gates={}, promotion=PromotionParams(metric="accuracy", min_gain=0.0)
            ),
            weights=weights,
            card=card,
            evaluation=folder / "evaluation.json",
            receipt=folder / "registration.json",
        )
    return int(json.loads((folder / "registration.json").read_text())["version"])


def make_champion(version: int, environment: Mapping[str, str]) -> None:
    """Move the alias champion to a version."""
    from tasks.tracking.registry import set_alias

    with variables(**environment):
        set_alias(MODEL, "champion", version)
