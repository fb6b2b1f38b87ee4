"""A few steps of every case, and a validation, in however many processes are started (OUT FOLDER).

The cases are every loss, mining and form of batch norm, fed as the trainer feeds them. The main process
writes to OUT: losses and metrics of the steps, weights, buffers, and the metrics of the validation.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from facenet import losses
from facenet.evaluation.distances import Flip
from facenet.evaluation.protocol import PairRows
from facenet.loss_table import LOSSES
from facenet.losses.center import VERSIONS
from facenet.losses.triplet import REDUCERS
from facenet.mining.exemplars import Selection
from facenet.mining.listed import ListedPlan
from facenet.mining.offline import anchor_positive_pairs, labelled_pairs, random_negatives
from facenet.mining.online import STRATEGIES
from facenet.mining.pk import PKPlan
from facenet.networks.nn1 import InertBatchNorm
from facenet.training import (
    Division,
    FaceTable,
    ImagePlan,
    PairEvaluation,
    PairValidation,
    Plan,
    Processes,
    TableEmbedder,
    UpdateOptions,
    freeze_to,
    join,
)
from facenet.training.gradients import NORMALISATIONS
from tests.facenet.training.tiny import (
    LABELS,
    PEOPLE,
    SIDE,
    TinyNetwork,
    exemplars,
    make_trainer,
    remined,
    write_faces,
)

STEPS = 8
MARGIN = 2.0  # of mined triplets: so large that every epoch has some


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is trained: settings of the loss, the plan, and the form of batch norm."""

    loss: str = "softmax"
    settings: Mapping[str, Any] = field(default_factory=dict)
    plan: str = "images"
    network: Mapping[str, Any] = field(default_factory=dict)  # arguments of TinyNetwork
    frozen: str | None = None
    accumulate: int = 1
    normalisation: str = "none"


CENTER = {"center_factor": 0.5, "center_rate": 0.5}
LISTED = {"listed": True, "margin": MARGIN}
CASES = {
    **{name: Case(loss=name, plan="images" if entry.needs == "labels" else "pk")
       for name, entry in LOSSES.items()},
    **{f"center {version}": Case(settings={**CENTER, "center_version": version}) for version in VERSIONS},
    "center of pieces": Case(loss="cosface", settings=CENTER, accumulate=2),
    "sampled head": Case(loss="arcface", settings={"head_share": 0.4}),
    "prelogits norm": Case(settings={"prelogits_norm_factor": 0.1}),
    **{f"mining {name}": Case(loss="triplet", settings={"mining": name}, plan="pk") for name in STRATEGIES},
    **{f"reduction {name}": Case(loss="triplet", settings={"triplet_reduction": name}, plan="pk")
       for name in REDUCERS},
    "raw triplets": Case(loss="triplet", settings={"normalised": False}, plan="pk"),
    "listed triplets": Case(loss="triplet", settings=LISTED, plan="triplets"),
    "listed pairs": Case(loss="contrastive", settings=LISTED, plan="pairs"),
    "remined": Case(loss="triplet", settings=LISTED, plan="remined"),
    **{f"exemplars {name}": Case(loss="triplet", settings=LISTED, plan=name) for name in get_args(Selection)},
    "exemplars embedded in training mode": Case(
        loss="triplet", settings=LISTED, plan="in training", network={"last_bn": True}
    ),
    "last batch norm": Case(network={"last_bn": True}),
    "inert batch norm": Case(network={"norm": InertBatchNorm, "last_bn": True}),
    "frozen batch norm": Case(frozen="bn", network={"last_bn": True}),
    "frozen last batch norm": Case(loss="cosface", frozen="last_bn", network={"last_bn": True}),
    "cumulative batch norm": Case(network={"norm": lambda width: nn.BatchNorm2d(width, momentum=None)}),
    "batch norm without affine": Case(network={"norm": lambda width: nn.BatchNorm2d(width, affine=False)}),
    "pieces": Case(accumulate=2),
    **{f"gradients {name}": Case(settings={**CENTER, "center_version": "dl4j"}, normalisation=name)
       for name in NORMALISATIONS},
}  # fmt: skip


def plan_of(name: str, processes: Processes) -> Plan:
    """Return the batches of a case; none of their sizes is a multiple of two processes."""
    random = np.random.default_rng(5)
    if name == "images":
        return ImagePlan(LABELS, batch_size=11, balance=0.5, seed=3)
    if name == "pk":
        return PKPlan(LABELS, people=5, images=3, seed=3)
    if name == "pairs":
        rows, _ = labelled_pairs(LABELS, max_rows=30, rng=random)
        return ListedPlan(rows, batch_size=10, seed=3)
    if name == "triplets":
        pairs = anchor_positive_pairs(LABELS, max_rows=30, rng=random)
        negatives = random_negatives(LABELS, pairs[:, 0], rng=random)
        return ListedPlan(np.column_stack([pairs, negatives]), batch_size=9, seed=3)
    if name == "remined":
        return remined(MARGIN, least=processes.count)
    if name == "in training":
        return exemplars("davidsandberg", MARGIN, training=True, least=processes.count)
    return exemplars(name, MARGIN, training=False, least=processes.count)  # type: ignore[arg-type]  # of Selection


def train(case: Case, folder: Path, processes: Processes) -> dict[str, Any]:
    """Return losses and metrics of the first steps, and all weights and buffers afterwards."""
    torch.manual_seed(9)
    settings = {"margin": 0.3, "scale": 8.0, **case.settings}
    loss = losses.build(case.loss, embedding_size=4, classes=PEOPLE, **settings)
    network, plan = TinyNetwork(0.0, **case.network), plan_of(case.plan, processes)
    frozen = freeze_to(network, case.frozen)
    seen: list[Any] = []
    trainer = make_trainer(
        folder,
        epochs=-(-STEPS // len(plan)) * (3 if "mine" in dir(plan) else 1),  # mined epochs may be shorter
        lr=0.05,
        optimizer="sgd",  # Adam would turn rounding of a gradient that is zero into steps
        network=network,
        loss=loss,
        plan=plan,
        division=Division(processes, case.accumulate),
        options=UpdateOptions(
            ema=0.9, clip_norm=1.0, frozen=frozen, gradient_normalisation=case.normalisation
        ),
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
    state = {**prefixed("model", trainer.model), **prefixed("loss", loss)}
    return {
        "triplets": triplets,
        "agreed": agreed,
        "losses": [report.loss for report in seen][:STEPS],
        "norms": [report.metrics["gradient_norm"] for report in seen][:STEPS],
        "images": [report.images for report in seen][:STEPS],
        "own": len(trainer.loader.dataset[trainer.loader.batch_indices(reports[-1].epoch)[0]][0]),
        "state": {name: tensor.double().flatten().tolist() for name, tensor in state.items()},
        "training": sorted(name for name, module in network.named_modules() if module.training),
        "validation": reports[-1].validation,
    }


def prefixed(prefix: str, module: nn.Module) -> dict[str, torch.Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}


def validation(folder: Path, processes: Processes) -> PairValidation:
    """Return pairs of the training faces: good enough to see that processes agree."""
    random = np.random.default_rng(4)
    left, right = random.integers(0, len(LABELS), (2, 37))
    same = LABELS[left] == LABELS[right]
    return PairValidation(embedder=embedder(folder, processes), left=left, right=right, same=same)


def evaluations(folder: Path, processes: Processes) -> dict[str, Any]:
    """Return the metrics of each use of mirror images, and whether all processes have them."""
    random = np.random.default_rng(6)
    left, right = random.integers(0, len(LABELS), (2, 61))
    fold = np.arange(61, dtype=np.int32) % 3
    pairs = PairRows(left=left, right=right, same=LABELS[left] == LABELS[right], fold=fold)
    torch.manual_seed(8)
    network, found = TinyNetwork(), {}
    for flip in get_args(Flip):
        evaluate = PairEvaluation(
            embedder=embedder(folder, processes),
            pairs=pairs,
            distance="arccos",
            flip=flip,
            subtract_mean=True,
        )
        metrics = evaluate(network)
        own = torch.tensor(list(metrics.values()))
        found[flip] = {**metrics, "agreed": torch.equal(processes.sum(own), own * processes.count)}
    return found


def embedder(folder: Path, processes: Processes) -> TableEmbedder:
    """Return the embedder of the faces."""
    return TableEmbedder(
        table=FaceTable(sorted((folder / "faces").glob("*.arrow"))),
        image_size=SIDE - 4,
        device=torch.device("cpu"),
        precision="fp32",
        batch_size=8,
        processes=processes,
    )


def run(folder: Path, processes: Processes) -> dict[str, Any]:
    """Return the results of every case, and those of the evaluation pairs."""
    if processes.main:
        write_faces(folder / "faces")
    processes.any(False)  # a barrier: the faces are read by all
    trained = {name: train(case, folder, processes) for name, case in CASES.items()}
    return {**trained, "evaluations": evaluations(folder, processes)}


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
