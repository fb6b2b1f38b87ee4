"""One side of the training benchmark, a long-running process: per line of JSON, some training steps.

Runs in our environment and in the baseline's, so it imports this project only on our side.
Usage: python benchmarks/train_rounds.py ours|peer THREADS BATCH PEOPLE FACES < requests
FACES is an Arrow file of faces for our loader; the baseline reads no files.
Request: {"steps": n, "source": "tensors" or "loader"}. Answer: {"seconds", "torch", "precision", "loss"}.
"tensors" repeats one batch that is created before timing starts.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

SIDE = 160  # pixels
LR = 1e-3  # of Adam, as in facenet-pytorch's notebook
Step = Callable[[Any, Any], float]


def peer(people: int) -> tuple[Step, str]:
    """Return a training step of facenet-pytorch's notebook: float32, default layout, Adam, softmax."""
    from facenet_pytorch import InceptionResnetV1

    network = InceptionResnetV1(classify=True, num_classes=people).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=LR)
    loss_of = torch.nn.CrossEntropyLoss()

    def step(images: torch.Tensor, labels: torch.Tensor) -> float:
        loss = loss_of(network(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return step, "fp32"


def ours(people: int) -> tuple[Step, str]:
    """Return a training step of ours: the same network, head, loss and optimiser, from uint8 faces."""
    from facenet import losses, networks
    from facenet.devices import resolve_precision
    from facenet.training import Division, OptimizerSettings, build_optimizer
    from facenet.training.health import Moment
    from facenet.training.update import Update

    device = torch.device("cpu")
    precision = resolve_precision("auto", device)
    network = networks.build("inception_resnet_v1", embedding_size=512, dropout=0.6)
    loss = losses.build("softmax", embedding_size=512, classes=people)
    update = Update(
        network=network,
        loss=loss,
        optimizer=build_optimizer("adam", [network, loss], OptimizerSettings(rate=LR)),
        division=Division(),
        device=device,
        precision=precision,
        seed=666,
    )
    update.train()
    numbers = count(1)

    def step(faces: torch.Tensor, labels: torch.Tensor) -> float:
        return update(faces, labels, Moment(step=next(numbers), rate=LR, precision=precision))[0]

    return step, precision


def loaded(faces: Path, batch: int, people: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches of our loader forever, configured as in the stage."""
    from facenet.training import Augmentation, FaceTable, ImagePlan, Loader, TrainingSet, loader_settings

    table = FaceTable([faces])
    table.keep, workers = loader_settings(table, torch.device("cpu"), torch.get_num_threads())
    labels = np.arange(len(table)) % people
    plan = ImagePlan(labels, batch_size=batch, balance=0.5, seed=666)
    augmentation = Augmentation(image_size=SIDE, random_crop=True, flip=True)
    rows = np.arange(len(table))
    dataset = TrainingSet(table, rows, labels, augmentation=augmentation, seed=666)
    loader = Loader(dataset, plan, workers=workers)
    return chain.from_iterable(loader.load(loader.batch_indices(epoch)) for epoch in count(1))


def tensors(side: str, batch: int, people: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield one batch of noise forever: uint8 faces for ours, standardised floats for the baseline."""
    random = np.random.default_rng(666)
    faces = torch.from_numpy(random.integers(0, 256, (batch, SIDE, SIDE, 3)).astype(np.uint8))
    labels = torch.from_numpy(random.integers(0, people, batch))
    images = (faces.permute(0, 3, 1, 2).float().contiguous() - 127.5) / 128
    while True:
        yield (faces if side == "ours" else images), labels


def main() -> None:
    """Answer requests until the input ends."""
    side, threads, batch, people, faces = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(666)
    step, precision = {"ours": ours, "peer": peer}[side](int(people))
    sources = {"tensors": tensors(side, int(batch), int(people))}
    if side == "ours":
        sources["loader"] = loaded(Path(faces), int(batch), int(people))
    for request in map(json.loads, sys.stdin):
        source = sources[request["source"]]
        began = time.perf_counter()
        losses = [step(images, labels) for images, labels in islice(source, request["steps"])]
        seconds = time.perf_counter() - began
        answer = {"seconds": seconds, "torch": torch.__version__, "precision": precision, "loss": losses[-1]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
