"""The training plan and the validation pairs, as tables of face rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.errors import DataInvalid
from facenet.mining.offline import PositivePairs, anchor_positive_pairs, labelled_pairs, random_negatives
from facenet.mining.partners import partner_counts, partner_pairs
from facenet.mining.pk import PKPlan
from tasks.params.triplets import TripletsParams

VALIDATION_PAIRS = 2000  # maximum, half of them of the same person
# Maximum per person: n photos form n(n - 1) / 2 pairs, and a person with many photos would dominate.
VALIDATION_IMAGES = 10

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The usable faces of one split: rows of the face table, and labels 0 to its people - 1, (N,) each."""

    rows: Indices
    labels: Indices


def make_plan(
    params: TripletsParams, train: Part, rng: np.random.Generator, *, aligned: Path, device: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the plan as a table of face rows, and its metrics.

    aligned, device: the faces that the model of triplets.embedder embeds, and its device.

    Raises:
        DataInvalid: no person has two photos, or there are too few people for a batch of plan pk.
        SourceInvalid, WeightsInvalid, ParamsInvalid: see `mine_with_embedder`.
    """
    images = pd.DataFrame({"row": train.rows, "label": train.labels})
    if params.plan == "images":
        return images, {}
    possible = len(PositivePairs(train.labels))
    if possible == 0:
        raise DataInvalid(
            f"Plan {params.plan} needs people with two photos, but no training person has two. "
            "Set triplets.plan to images, or add photos in ingest.sources."
        )
    if params.plan == "pk":
        return images, _pk_metrics(params, train)
    if params.table == "images":
        return images, {"pairs_possible": possible}
    if params.plan == "triplets":
        return _triplets(params, train, rng, aligned=aligned, device=device)
    return _pairs(params, train, rng)


def make_validation_pairs(validation: Part, rng: np.random.Generator) -> pd.DataFrame:
    """Return equally many same and different pairs: left, right (rows of faces) and same.

    At most 2,000 pairs, of at most ten photos per person; none with fewer than two validation people.
    """
    order = rng.permutation(len(validation.labels))
    place = pd.Series(validation.labels[order]).groupby(validation.labels[order]).cumcount().to_numpy()
    chosen = np.sort(order[place < VALIDATION_IMAGES])
    rows, same = labelled_pairs(validation.labels[chosen], max_rows=VALIDATION_PAIRS, rng=rng)
    return pd.DataFrame(validation.rows[chosen][rows], columns=["left", "right"]).assign(same=same)


def _triplets(
    params: TripletsParams, train: Part, rng: np.random.Generator, *, aligned: Path, device: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    positive = anchor_positive_pairs(train.labels, max_rows=params.max_rows, rng=rng)
    negatives = random_negatives(train.labels, positive[:, 0], rng=rng)
    metrics: dict[str, Any] = {}
    if params.embedder is not None:
        # Imports torch, which plans without a model need not wait for.
        from tasks.triplets.hard_negatives import mine_with_embedder

        found, metrics = mine_with_embedder(
            params, train.rows, train.labels, positive, rng, aligned=aligned, device=device
        )
        negatives = np.where(found >= 0, found, negatives)
    table = np.column_stack([positive, negatives])
    plan = pd.DataFrame(train.rows[table], columns=["anchor", "positive", "negative"])
    possible = len(PositivePairs(train.labels))
    return plan, {"rows_possible": possible, "rows_left_out": possible - len(plan), **metrics}


def _pairs(
    params: TripletsParams, train: Part, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, Any]]:
    labels, limit = train.labels, params.max_rows
    if params.partners is None:
        possible = 2 * len(PositivePairs(labels))
        rows, same = labelled_pairs(labels, max_rows=limit, rng=rng)
    else:
        possible = 2 * int(partner_counts(labels, params.partners).sum())
        rows, same = partner_pairs(labels, partners=params.partners, max_rows=limit, rng=rng)
    plan = pd.DataFrame(train.rows[rows], columns=["left", "right"]).assign(same=same)
    return plan, {"rows_possible": possible, "rows_left_out": possible - len(plan)}


def _pk_metrics(params: TripletsParams, train: Part) -> dict[str, Any]:
    batches = PKPlan(train.labels, people=params.people_per_batch, images=params.images_per_person, seed=0)
    return {
        "people_per_batch": params.people_per_batch,
        "images_per_person": params.images_per_person,
        "batches_per_epoch": len(batches),
        "identities_with_one_image": batches.skipped,
        "identities_with_repeated_images": batches.repeated,
    }
