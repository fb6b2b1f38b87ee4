"""Hard negatives, mined before training with the model of `triplets.embedder`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from facenet.embedder import load_embedder
from facenet.images import decode
from facenet.mining.offline import Embeddings, Indices, mine_negatives
from tasks.params.triplets import TripletsParams
from tasks.shards import read_table
from tasks.triplets import embedder

BATCH = 64


def mine_with_embedder(
    params: TripletsParams,
    rows: Indices,
    labels: Indices,
    pairs: Indices,
    rng: np.random.Generator,
    *,
    aligned: Path,
    device: str,
) -> tuple[Indices, dict[str, Any]]:
    """Return the negative of each of the (M, 2) pairs, and the metrics of the report.

    Pairs and negatives are positions in the (N,) `rows` of the face table, which show the (N,) `labels`.

    The negative is one that `triplets.negatives` allows, or else the nearest one farther than the positive.
    It is -1 if there is no such negative either, or no such model yet.

    Raises:
        SourceInvalid: triplets.embedder is invalid.
        TrackingFailed: the registry cannot be reached.
        ParamsInvalid, WeightsInvalid: the stored faces are too small for the model, or it is damaged.
    """
    name = params.embedder or ""
    with embedder.opened(name) as found:
        if found is None:
            sys.stderr.write(
                f"There is no {name} yet, so negatives are drawn at random. Once a model is promoted "
                "(python -m flows.promotion), the next run mines with it.\n"
            )
            return np.full(len(pairs), -1), _metrics(embedder.unavailable(name), 0, 0, len(pairs))
        folder, origin = found
        embeddings = embed_faces(folder, rows, aligned=aligned, device=device)
    options: dict[str, Any] = {"margin": params.negatives_margin, "rng": rng}
    negatives = mine_negatives(embeddings, labels, pairs, strategy=params.negatives, **options)
    missing = negatives < 0
    nearest = mine_negatives(embeddings, labels, pairs[missing], strategy="farther", **options)
    negatives[missing] = nearest
    mined, easy = int((~missing).sum()), int((nearest >= 0).sum())
    return negatives, _metrics(asdict(origin), mined, easy, len(pairs) - mined - easy)


def embed_faces(folder: Path, rows: Indices, *, aligned: Path, device: str) -> Embeddings:
    """Return (N, E) embeddings, by the model in `folder`, of rows of the face table; show progress."""
    model, _ = load_embedder(
        folder / embedder.WEIGHTS, folder / embedder.CARD, device=device, batch_size=BATCH
    )
    images = read_table(aligned, "faces", ["image"]).column("image")
    embedded = []
    with tqdm(total=len(rows), desc="mine", unit="image", mininterval=1, file=sys.stderr) as bar:
        for start in range(0, len(rows), BATCH):
            faces = [decode(images[int(row)].as_py()) for row in rows[start : start + BATCH]]
            embedded.append(model.embed(np.stack(faces)))
            bar.update(len(faces))
    return np.concatenate(embedded)


def _metrics(origin: Any, mined: int, easy: int, random: int) -> dict[str, Any]:
    """Return the origin and how many negatives are as configured, farther, and drawn at random."""
    negatives = {"negatives_mined": mined, "negatives_farther": easy, "negatives_random": random}
    return {"embedder": dict(origin), **negatives}
