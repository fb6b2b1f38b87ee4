"""Audit names that a network was trained on, next to cleanlab: `make bench-audit-trained`.

The errors of `benchmarks.audit` are planted into the people of LFW's View 1 training set. A head on the
embeddings of a published model, a linear layer with a softmax over all names, is trained on these names four
times, each time without a fourth of each person's photos: every photo is embedded once by a head that has not
seen its name, out-of-fold. The audit judges the photos of a fold by the embeddings of its head, and cleanlab
by the probabilities of a classifier of the same embeddings: a logistic regression, and the softmax
of the cosines with the centres. Both are also compared on the published embeddings, and in-fold, on a head
trained on all names. Photos of folders with at least 4 count.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from cleanlab.filter import find_label_issues
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from benchmarks.audit import FOLDER, SEVERAL, counted, described, judged, load
from benchmarks.audit_noise import plant
from benchmarks.identify_faces import lfw_faces
from facenet.audit import audit
from facenet.audit.faces import unit
from tasks.downloads import locate
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "audit_trained.json"
FOLDS = 4
EPOCHS, BATCH, RATE, SCALE = 10, 256, 3e-3, 24.0  # of a head: Adam, and the scale of its cosines
FILTERS = ("prune_by_noise_rate", "both", "confident_learning")  # of cleanlab, its default first

Floats = npt.NDArray[np.float32]
Names = npt.NDArray[np.str_]
Rows = npt.NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write reports/benchmarks/audit_trained.json, and print it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit_trained", description="Audit and cleanlab."
    )
    add = parser.add_argument
    add("--seeds", type=int, nargs="+", default=[0], help="of errors and folds (default: 0)")
    add("--folder", type=Path, default=FOLDER, help=f"of photos and embeddings (default: {FOLDER})")
    add("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    faces = lfw_faces(load("pretrained", asked.folder), asked.folder)
    chosen = np.isin(faces.names, list(training_people()))
    rows: list[dict[str, Any]] = []
    for seed in asked.seeds:
        for way, found in measure(faces.templates[chosen], faces.names[chosen], seed):
            rows.append({"seed": seed, "embeddings": way, **found})
            sys.stdout.write(f"{rows[-1]}\n")
            sys.stdout.flush()
    write_report(asked.report, {"rows": rows, **described()})


def training_people() -> set[str]:
    """Return the people of peopleDevTrain.txt."""
    lines = locate("peopleDevTrain.txt").read_text().splitlines()[1:]
    return {line.split("\t")[0] for line in lines if line.strip()}


def measure(embeddings: Floats, names: Names, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield for embeddings as published, out-of-fold and in-fold what the audit and cleanlab find."""
    rng = np.random.default_rng(seed)
    noise = plant(names, rng)
    folds = folds_of(noise.names, rng)
    moved = set(noise.moved.tolist())
    heads = [trained(embeddings, noise.names, folds != fold, seed) for fold in range(FOLDS)]
    everything = trained(embeddings, noise.names, np.ones(len(names), bool), seed)
    ways = {"published": [embeddings] * FOLDS, "out-of-fold": heads, "in-fold": [everything] * FOLDS}
    for way, views in ways.items():
        found: dict[str, Any] = {"audit": counted(audited(views, noise.names, folds), moved)}
        for probable in (logistic, centres):
            large, probabilities, labels = predicted(views, noise.names, folds, probable)
            for name in FILTERS:
                issues = find_label_issues(labels, probabilities, filter_by=name, n_jobs=1)
                found[f"cleanlab {name}, {probable.__name__}"] = counted(set(large[issues].tolist()), moved)
        yield way, found


def folds_of(names: Names, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the fold of each photo; the photos of a name are spread over the folds."""
    folds = np.empty(len(names), np.int64)
    for name in np.unique(names):
        rows = rng.permutation(np.flatnonzero(names == name))
        folds[rows] = (np.arange(len(rows)) + rng.integers(FOLDS)) % FOLDS
    return folds


def trained(embeddings: Floats, names: Names, seen: Rows, seed: int) -> Floats:
    """Return the embeddings (N, D) by a head that was trained on the names of the photos `seen`."""
    generator = torch.Generator().manual_seed(seed)
    _, labels = np.unique(names[seen], return_inverse=True)
    inputs, targets = torch.from_numpy(embeddings[seen]), torch.from_numpy(labels)
    head = torch.eye(embeddings.shape[1], requires_grad=True)
    centres = torch.zeros(int(labels.max()) + 1, embeddings.shape[1]).index_add_(0, targets, inputs)
    centres.requires_grad_()
    optimizer = torch.optim.Adam([head, centres], lr=RATE)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(inputs), generator=generator).split(BATCH):
            cosines = F.normalize(inputs[rows] @ head) @ F.normalize(centres).T
            loss = F.cross_entropy(SCALE * cosines, targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        embedded: Floats = F.normalize(torch.from_numpy(embeddings) @ head).numpy()
    return embedded


def audited(views: Sequence[Floats], names: Names, folds: npt.NDArray[np.int64]) -> set[int]:
    """Return the flagged photos of each fold, by the embeddings of its head."""
    flagged: set[int] = set()
    done: dict[int, set[int]] = {}
    for fold, view in enumerate(views):
        if id(view) not in done:
            done[id(view)] = judged(audit(view, names), names)
        flagged |= {row for row in done[id(view)] if folds[row] == fold}
    return flagged


def predicted(
    views: Sequence[Floats], names: Names, folds: npt.NDArray[np.int64], probable: Callable[..., Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the rows of large folders, and for each the probability of every class (n, C) and its label."""
    _, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    large = np.flatnonzero(counts[place] >= SEVERAL)
    _, labels = np.unique(names[large], return_inverse=True)
    probabilities = np.zeros((len(large), labels.max() + 1))
    for fold, view in enumerate(views):
        rows, held_out = unit(view[large] - view.mean(axis=0)), folds[large] == fold
        probabilities[held_out] = probable(rows[~held_out], labels[~held_out], rows[held_out])
    return large, probabilities, labels


def logistic(inputs: Floats, labels: npt.NDArray[np.int64], asked: Floats) -> npt.NDArray[np.float64]:
    """Return the probabilities (n, C) of `asked` by a logistic regression; every label has inputs."""
    model = LogisticRegression(C=100.0, max_iter=100, tol=1e-3).fit(inputs, labels)
    return np.asarray(model.predict_proba(asked))


def centres(inputs: Floats, labels: npt.NDArray[np.int64], asked: Floats) -> npt.NDArray[np.float64]:
    """Return the softmax (n, C) of the cosines of `asked` with the centres of the labels."""
    sums = np.zeros((labels.max() + 1, inputs.shape[1]), np.float32)
    np.add.at(sums, labels, inputs)
    return np.asarray(softmax(SCALE * asked @ unit(sums).T.astype(np.float64), axis=1))


if __name__ == "__main__":
    stage_main(main)
