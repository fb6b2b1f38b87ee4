"""A run small enough for a test: random faces, a network of a few hundred weights, seconds of training.

As a script (FOLDER KILL_AT RECIPE) it tells its steps on stdout, and kills itself at a step.
"""

import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from facenet.images import encode
from facenet.losses.triplet import TripletLoss
from facenet.mining.exemplars import ExemplarMiner, Selection
from facenet.mining.mined import MinedPlan, WholeSetMiner
from facenet.mining.pk import PKPlan
from facenet.training import (
    Augmentation,
    Checkpoints,
    Division,
    FaceTable,
    ImagePlan,
    Loader,
    Mining,
    OptimizerSettings,
    Schedule,
    TableEmbedder,
    Trainer,
    TrainingSet,
    UpdateOptions,
    build_optimizer,
)

SIDE, PEOPLE, PHOTOS, BATCH = 20, 6, 4, 5
CPU = torch.device("cpu")
LABELS = np.repeat(np.arange(PEOPLE), PHOTOS).astype(np.int64)


@dataclass
class Output:
    value: Tensor
    metrics: dict[str, Any] = field(default_factory=dict)


class TinyNetwork(nn.Module):
    """A convolution and a linear layer; with `last_bn`, batch norm at the end as in Inception-ResNet-v1."""

    def __init__(
        self, dropout: float = 0.2, *, norm: type[nn.BatchNorm2d] = nn.BatchNorm2d, last_bn: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, bias=False)
        self.bn = norm(8)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(8, 4)
        self.last_bn = nn.BatchNorm1d(4) if last_bn else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        pooled = torch.relu(self.bn(self.conv(images))).mean(dim=(2, 3))
        prelogits: Tensor = self.last_bn(self.linear(self.dropout(pooled)))
        return prelogits


class TinyLoss(nn.Module):
    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.head, self.scale = nn.Linear(4, PEOPLE), scale

    def forward(self, prelogits: Tensor, labels: Tensor) -> Output:
        logits = self.head(prelogits.float())
        value = nn.functional.cross_entropy(logits, labels) * self.scale
        return Output(value, {"accuracy": (logits.argmax(dim=1) == labels).float().mean()})


def write_faces(folder: Path, *, shards: int = 2) -> list[Path]:
    """Write a face per label into Arrow files, each person of a colour of their own, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    colours = random.integers(40, 215, (PEOPLE, 1, 1, 3))
    images = (colours[LABELS] + random.integers(-40, 40, (len(LABELS), SIDE, SIDE, 3))).astype(np.uint8)
    paths = []
    for number, part in enumerate(np.array_split(np.arange(len(LABELS)), shards)):
        paths.append(folder / f"faces-{number:04d}.arrow")
        table = pa.table({"image": pa.array([encode(images[i], "png") for i in part], pa.binary())})
        with pa.ipc.new_file(str(paths[-1]), table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
    return paths


def make_trainer(
    folder: Path,
    *,
    epochs: int = 4,
    lr: float = 0.05,
    optimizer: str = "adamw",
    precision: str = "fp32",
    device: torch.device = CPU,
    loss: nn.Module | None = None,
    plan: Any = None,
    division: Division | None = None,
    dropout: float = 0.2,
    network: nn.Module | None = None,
    **options: Any,
) -> Trainer:
    """Return a trainer on the faces in `folder`/faces, checkpoints in `folder`/checkpoints."""
    paths = sorted((folder / "faces").glob("*.arrow")) or write_faces(folder / "faces")
    plan = plan or ImagePlan(LABELS, batch_size=BATCH, balance=0.5, seed=3)
    augmentation = Augmentation(image_size=SIDE - 4, random_crop=True, shift=2, flip=True)
    rows, table = np.arange(len(LABELS), dtype=np.int64), FaceTable(paths, keep=True)
    dataset = TrainingSet(
        table,
        rows,
        LABELS,
        augmentation=augmentation,
        seed=3,
        division=division,
    )
    torch.manual_seed(3)
    network, loss = network or TinyNetwork(dropout), loss or TinyLoss()
    mining = None
    if isinstance(plan, MinedPlan):
        embedder = TableEmbedder(
            table=table,
            image_size=SIDE - 4,
            device=device,
            precision=precision,
            batch_size=8,
            processes=dataset.division.processes,
        )
        mining = Mining(plan=plan, embedder=embedder, rows=rows, seed=3)
    return Trainer(
        network=network,
        loss=loss,
        optimizer=build_optimizer(optimizer, [network, loss], OptimizerSettings(lr=lr, weight_decay=1e-3)),
        schedule=Schedule(kind="one_cycle", lr=lr, warmup=0.3, epochs=epochs, steps_per_epoch=len(plan)),
        loader=Loader(dataset, plan),
        mining=mining,
        device=device,
        precision=precision,
        seed=3,
        **{"checkpoints": Checkpoints(folder / "checkpoints"), **options},
    )


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def weights(trainer: Trainer) -> dict[str, Tensor]:
    """Return a copy of all weights and statistics of network, loss and model."""
    modules = {"network": trainer.network, "loss": trainer.loss, "model": trainer.model}
    return {f"{m}.{n}": t.clone() for m, module in modules.items() for n, t in module.state_dict().items()}


def remined(margin: float = 0.3, **options: Any) -> MinedPlan:
    """Return a plan of triplets that are mined from all faces before each epoch."""
    miner = WholeSetMiner(labels=LABELS, margin=margin, max_rows=20, seed=3)
    return MinedPlan(miner, batch_size=9, seed=3, **options)


def exemplars(selection: Selection, margin: float = 0.3, *, training: bool, **options: Any) -> MinedPlan:
    """Return a plan of triplets that are mined from a sample of the faces before each epoch."""
    miner = ExemplarMiner(
        labels=LABELS,
        selection=selection,
        people=4,
        images=4,
        total=22,
        margin=margin,
        seed=3,
        training=training,
    )
    return MinedPlan(miner, batch_size=9, seed=3, **options)


def recipe(name: str) -> dict[str, Any]:
    """Return options of `make_trainer` that have much to remember.

    pieces; mining, of triplets in the batch; remined, from all faces before each epoch; exemplars, from a
    sample of them that is embedded in training mode.
    """
    if name == "pieces":
        update = UpdateOptions(clip_norm=0.5, ema=0.9, standardisation="per_image")
        return {"optimizer": "adam_tf", "options": update, "division": Division(accumulate=2)}
    update = UpdateOptions(clip_norm=0.1, ema=0.99)
    if name in ("remined", "exemplars"):
        listed = {"loss": TripletLoss(margin=0.3, listed=True), "optimizer": "adam", "options": update}
        if name == "remined":
            return {**listed, "plan": remined()}
        return {**listed, "plan": exemplars("davidsandberg", training=True)}
    plan = PKPlan(LABELS, people=3, images=2, seed=3)
    return {"optimizer": "sgd", "options": update, "plan": plan, "loss": TripletLoss(margin=0.2)}


def main(folder: Path, kill_at: int, name: str) -> None:
    def tell(report: Any) -> None:
        sys.stdout.write(f"{report.step} {report.loss!r}\n")
        sys.stdout.flush()
        if report.step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    trainer = make_trainer(folder, on_step=tell, checkpoint_seconds=0.0, **recipe(name))
    assert list(trainer.run())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
