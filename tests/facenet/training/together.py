"""Fifty steps with each loss, and a validation, in as many processes as this is started as (OUT FOLDER).

The main process writes what it saw to OUT: losses and metrics of the steps, a digest of the weights, the
metrics of the validation, and how many images each process read.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facenet import losses
from facenet.mining.pk import PKPlan
from facenet.training import (
    Division,
    FaceTable,
    ImagePlan,
    PairValidation,
    Plan,
    Processes,
    TableEmbedder,
    UpdateOptions,
    join,
)
from tests.facenet.training.tiny import LABELS, PEOPLE, SIDE, make_trainer, remined, write_faces

STEPS = 50
LOSSES = ("softmax", "cosface", "triplet", "remined")
MARGIN = 2.0  # of remined: so large that there is something to mine to the end


def train(name: str, folder: Path, processes: Processes) -> dict[str, Any]:
    """Return losses and metrics of fifty steps, and the sum of squares of each weight afterwards."""
    torch.manual_seed(9)
    mined = name == "remined"
    loss = losses.build(
        "triplet" if mined else name,
        embedding_size=4,
        classes=PEOPLE,
        margin=MARGIN if mined else 0.3,
        scale=8.0,
        mining="semihard",
        listed=mined,
    )
    plan: Plan = ImagePlan(LABELS, batch_size=11, balance=0.5, seed=3)  # parts of 5 and 6
    if name == "triplet":
        plan = PKPlan(LABELS, people=5, images=3, seed=3)
    if mined:
        plan = remined(MARGIN, least=processes.count)
    accumulate = 2 if name == "cosface" else 1
    seen: list[Any] = []
    trainer = make_trainer(
        folder,
        epochs=-(-STEPS // len(plan)) * (2 if mined else 1),  # epochs of mined triplets may be shorter
        lr=0.01,
        optimizer="adam",
        loss=loss,
        plan=plan,
        division=Division(processes, accumulate),
        dropout=0.0,
        options=UpdateOptions(ema=0.9, clip_norm=1.0),
        checkpoints=None,
        on_step=seen.append,
        validate=validation(folder, processes),
    )
    reports, triplets, agreed = [], [], True
    for report in trainer.run():
        reports.append(report)
        if trainer.mining:
            own = torch.from_numpy(trainer.mining.plan.triplets)
            agreed = agreed and torch.equal(processes.sum(own), own * processes.count)
            triplets.append(own.tolist())
    return {
        "triplets": triplets,
        "agreed": agreed,
        "losses": [report.loss for report in seen][:STEPS],
        "norms": [report.metrics["gradient_norm"] for report in seen][:STEPS],
        "images": [report.images for report in seen][:STEPS],
        "own": len(trainer.loader.dataset[trainer.loader.batch_indices(reports[-1].epoch)[0]][0]),
        "weights": [float(t.double().square().sum()) for t in trainer.model.state_dict().values()],
        "validation": reports[-1].validation,
    }


def validation(folder: Path, processes: Processes) -> PairValidation:
    """Return pairs of the training faces: good enough to see that processes agree."""
    random = np.random.default_rng(4)
    left, right = random.integers(0, len(LABELS), (2, 37))
    same = LABELS[left] == LABELS[right]
    return PairValidation(embedder=embedder(folder, processes), left=left, right=right, same=same)


def embedder(folder: Path, processes: Processes) -> TableEmbedder:
    """Return what embeds the faces."""
    return TableEmbedder(
        table=FaceTable(sorted((folder / "faces").glob("*.arrow"))),
        image_size=SIDE - 4,
        device=torch.device("cpu"),
        precision="fp32",
        batch_size=8,
        processes=processes,
    )


def run(folder: Path, processes: Processes) -> dict[str, Any]:
    """Return what is seen with each loss."""
    if processes.main:
        write_faces(folder / "faces")
    processes.any(False)  # nobody reads before they are written
    return {name: train(name, folder, processes) for name in LOSSES}


def main(out: Path, folder: Path) -> None:
    processes, _ = join(torch.device("cpu"))
    found = {"count": processes.count, **run(folder, processes)}
    if processes.main:
        out.write_text(json.dumps(found))
    stopping = processes.any(not processes.main, False)
    assert stopping == (processes.count > 1, False)
    processes.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
