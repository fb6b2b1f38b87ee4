"""Read the input of the stage: faces, plan, validation pairs and evaluation pairs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.errors import DataInvalid
from facenet.evaluation.protocol import PairRows
from facenet.mining.exemplars import ExemplarMiner
from facenet.mining.listed import ListedPlan
from facenet.mining.mined import MinedPlan, Miner, WholeSetMiner
from facenet.mining.pk import PKPlan
from facenet.training import FixedLengthPlan, ImagePlan, Plan
from tasks.params import Params
from tasks.shards import read_table, shard_paths

Indices = npt.NDArray[np.int64]
GROUPS = {"triplets": ["anchor", "positive", "negative"], "pairs": ["left", "right"]}


@dataclass(frozen=True)
class TrainingFaces:
    """The training images.

    rows: (N,) row of each image in the face table. labels: (N,) class, 0 to C - 1.
    groups: (T, 3) triplets or (P, 2) pairs of image numbers, 0 to N - 1; None for plans without them.
    """

    rows: Indices
    labels: Indices
    groups: Indices | None = None

    @property
    def identities(self) -> int:
        """The number of classes."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0


def read_faces(table: str, *, aligned: Path, triplets: Path) -> TrainingFaces:
    """Return the training images of a plan, whose `table` is images, triplets or pairs.

    Raises:
        DataInvalid: the file of the plan is missing, or a person in it has no images.
    """
    if table == "images":
        images = _read(triplets / "images.parquet")
        faces = TrainingFaces(images["row"].to_numpy(np.int64), images["label"].to_numpy(np.int64))
        check_classes(faces.labels, triplets / "images.parquet")
        return faces
    sides = _read(triplets / f"{table}.parquet")[GROUPS[table]].to_numpy(np.int64)
    rows, numbers = np.unique(sides, return_inverse=True)
    names = read_table(aligned, "faces", ["identity"]).column("identity").to_numpy()[rows]
    labels = np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)
    return TrainingFaces(rows, labels, numbers.reshape(sides.shape).astype(np.int64))


def check_classes(labels: Indices, path: Path) -> None:
    """Raise DataInvalid if a class from 0 to the highest has no image."""
    empty = np.flatnonzero(np.bincount(labels) == 0) if len(labels) else labels
    if len(empty):
        raise DataInvalid(
            f"{path} has no image of {len(empty)} of {labels.max() + 1} people, such as label {empty[0]}. "
            "Run `dvc repro triplets`, which numbers only people with training images."
        )


def make_plan(faces: TrainingFaces, params: Params, *, processes: int = 1) -> Plan:
    """Return the batches of every epoch, of train.steps_per_epoch batches each if it is set.

    Raises:
        DataInvalid: there are too few people or photos for the plan.
    """
    plan, steps = _whole_plan(faces, params, processes), params.train.steps_per_epoch
    return plan if steps is None else FixedLengthPlan(plan, steps)


def _whole_plan(faces: TrainingFaces, params: Params, processes: int) -> Plan:
    """Return the plan whose epochs are one pass over the data; `processes` share each batch."""
    seed, train, triplets = params.base.seed, params.train, params.triplets
    # A loss that mines triplets or pairs in the batch needs each image once.
    distinct = triplets.plan != "pk" and not (params.pairs_as_listed or params.triplets_as_listed)
    if triplets.plan == "pk":
        return PKPlan(
            faces.labels, people=triplets.people_per_batch, images=triplets.images_per_person, seed=seed
        )
    if faces.groups is not None:
        return ListedPlan(faces.groups, batch_size=train.batch_size, seed=seed, distinct=distinct)
    miner = make_miner(faces.labels, params)
    if miner is not None:
        return MinedPlan(miner, batch_size=train.batch_size, seed=seed, distinct=distinct, least=processes)
    return ImagePlan(faces.labels, batch_size=train.batch_size, balance=train.balance, seed=seed)


def make_miner(labels: Indices, params: Params) -> Miner | None:
    """Return the miner of plans whose triplets are mined during training, or None for other plans."""
    seed, margin, triplets = params.base.seed, params.train.margin, params.triplets
    if triplets.plan == "exemplars":
        return ExemplarMiner(
            labels=labels,
            selection=triplets.selection,
            people=triplets.people_per_batch,
            images=triplets.images_per_person,
            total=triplets.exemplars,
            margin=margin,
            seed=seed,
            training=triplets.exemplars_mode == "training",
        )
    if triplets.remine == "epoch":
        return WholeSetMiner(labels=labels, margin=margin, max_rows=triplets.max_rows, seed=seed)
    return None


def read_validation_pairs(triplets: Path) -> pd.DataFrame:
    """Return left and right, rows in the face table, and same; the table may be empty."""
    return _read(triplets / "validation_pairs.parquet")


def read_validation_images(triplets: Path) -> TrainingFaces:
    """Return the validation images of a split by images, labelled as the training images."""
    images = _read(triplets / "validation_images.parquet")
    return TrainingFaces(images["row"].to_numpy(np.int64), images["label"].to_numpy(np.int64))


def read_people(triplets: Path) -> list[str]:
    """Return the names of the training people, in the order of their labels in plans of images."""
    identities = _read(triplets / "identities.parquet")
    return identities["identity"][identities["split"] == "train"].tolist()


def read_evaluation_pairs(triplets: Path) -> PairRows:
    """Return the evaluation pairs as rows in the face table.

    Raises:
        DataInvalid: stage triplets has not written them.
    """
    pairs = _read(triplets / "evaluation_pairs.parquet")
    return PairRows(
        left=pairs["left"].to_numpy(np.int64),
        right=pairs["right"].to_numpy(np.int64),
        same=pairs["same"].to_numpy(bool),
        fold=pairs["fold"].to_numpy(np.int32),
    )


def face_files(aligned: Path) -> list[Path]:
    """Return the files of the face table in order.

    Raises:
        DataInvalid: there are none.
    """
    files = shard_paths(aligned, "faces")
    if not files:
        raise DataInvalid(f"There are no faces in {aligned}. Run `dvc repro align`.")
    return files


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise DataInvalid(f"There is no {path}. Run `dvc repro triplets`.")
    return pd.read_parquet(path)
