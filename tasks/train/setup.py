"""Set up a run from parameters and files, up to its first step."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from facenet.devices import resolve_device, resolve_precision
from facenet.digests import file_digest, folder_digest, value_digest
from facenet.errors import ParamsInvalid
from facenet.losses.center import CenterLoss
from facenet.losses.classification import ClassificationLoss
from facenet.mining.mined import MinedPlan
from facenet.networks import EmbeddingNetwork
from facenet.training import (
    Checkpoints,
    ClassValidation,
    Division,
    FaceTable,
    Loader,
    Mining,
    PairEvaluation,
    PairValidation,
    Processes,
    TableEmbedder,
    Trainer,
    TrainingSet,
    freeze_to,
    join,
    loader_settings,
)
from tasks import paths
from tasks.params import Params
from tasks.train import build
from tasks.train.data import (
    TrainingFaces,
    face_files,
    make_plan,
    read_evaluation_pairs,
    read_faces,
    read_people,
    read_validation_images,
    read_validation_pairs,
)
from tasks.train.init import find_init

EMBEDDING_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class TrainPaths:
    """Input and output paths of the stage."""

    aligned: Path = paths.ALIGNED
    triplets: Path = paths.TRIPLETS
    checkpoints: Path = paths.CHECKPOINTS
    weights: Path = paths.WEIGHTS
    card: Path = paths.MODEL_CARD
    reports: Path = paths.REPORTS


@dataclass(kw_only=True)
class Setup:
    """A run before its first step.

    data: sha256 of the inputs, by name. trainer: None if there are no epochs to train.
    classify: with a split by images, of the validation images. people: their names, by label.
    """

    processes: Processes
    device: torch.device
    precision: str
    network: EmbeddingNetwork
    data: dict[str, str]
    faces: TrainingFaces
    checkpoints: Checkpoints
    trainer: Trainer | None = None
    classify: ClassValidation | None = None
    people: Sequence[str] = ()

    @property
    def model(self) -> nn.Module:
        """The module to save: the network, or the moving average of its weights."""
        return self.trainer.model if self.trainer else self.network

    @property
    def parameters(self) -> int:
        """The number of parameters of the network."""
        return sum(p.numel() for p in self.network.parameters())


def prepare(params: Params, files: TrainPaths) -> Setup:
    """Return the run that `params` define, restored from its last checkpoint if there is one.

    Raises:
        DataInvalid: data/aligned or data/triplets is missing or too small.
        ParamsInvalid, WeightsInvalid: network, loss, schedule and train.init are incompatible.
        DownloadFailed, WeightsInvalid: train.init cannot be found.
    """
    processes, device = join(resolve_device(params.base.device))
    precision = resolve_precision(params.base.precision, device)
    if precision == "fp16" and device.type == "cpu":
        raise ParamsInvalid("A CPU cannot train in fp16. Set base.precision to auto, bf16 or fp32.")
    with processes.main_first():
        init = find_init(params.train.init) if params.train.init else None
    network = build.build_network(params.train, init=init, seed=params.base.seed).to(device)
    data = _digests(files)
    schedule = build.build_schedule(params.train, steps_per_epoch=1)
    if init:
        data["init"] = file_digest(init)
    inputs = {**data, "schedule": value_digest(sorted(schedule.table.items()))}
    key = build.run_key(build.sections(params), inputs, device=device.type, precision=precision)
    checkpoints = Checkpoints(files.checkpoints / key)
    faces = read_faces(params.triplets.table, aligned=files.aligned, triplets=files.triplets)
    setup = Setup(
        processes=processes,
        device=device,
        precision=precision,
        network=network,
        data=data,
        faces=faces,
        checkpoints=checkpoints,
    )
    if schedule.last_epoch:
        setup.trainer = _trainer(setup, params, files)
    return setup


def _trainer(setup: Setup, params: Params, files: TrainPaths) -> Trainer:
    table = FaceTable(face_files(files.aligned))
    cores = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    table.keep, workers = loader_settings(table, setup.device, cores)
    plan = make_plan(setup.faces, params, processes=setup.processes.count)
    dataset = TrainingSet(
        table,
        setup.faces.rows,
        setup.faces.labels,
        augmentation=build.build_augmentation(params.train),
        seed=params.base.seed,
        division=Division(setup.processes, params.train.accumulate),
    )
    frozen = freeze_to(setup.network, params.train.freeze_to)
    loss = build.build_loss(
        params.train,
        classes=setup.faces.identities,
        listed=params.pairs_as_listed or params.triplets_as_listed,
        normalised=setup.network.normalised,
    ).to(setup.device)
    embedder = _embedder(setup, params, table)
    if params.triplets.split == "images":
        assert isinstance(loss, ClassificationLoss | CenterLoss), "params.yaml is checked"
        images = read_validation_images(files.triplets)
        setup.people = read_people(files.triplets)
        setup.classify = ClassValidation(embedder=embedder, loss=loss, rows=images.rows, labels=images.labels)
    mining = None
    if isinstance(plan, MinedPlan):
        mining = Mining(plan=plan, embedder=embedder, rows=setup.faces.rows, seed=params.base.seed)
    return Trainer(
        network=setup.network,
        loss=loss,
        optimizer=build.build_optimizer(params.train, [setup.network, loss]),
        schedule=build.build_schedule(params.train, steps_per_epoch=len(plan)),
        loader=Loader(dataset, plan, workers=workers, pin_memory=setup.device.type == "cuda"),
        device=setup.device,
        precision=setup.precision,
        seed=params.base.seed,
        options=build.build_options(params.train, frozen=frozen),
        mining=mining,
        validate=_validation(setup, embedder, params, files),
        validate_every=params.train.validate_every,
        select=params.train.select,
        **_evaluation(embedder, params, files),
        checkpoints=setup.checkpoints,
    )


def _embedder(setup: Setup, params: Params, table: FaceTable) -> TableEmbedder:
    return TableEmbedder(
        table=table,
        image_size=params.train.image_size,
        device=setup.device,
        precision=setup.precision,
        batch_size=EMBEDDING_BATCH,
        standardisation=params.train.standardisation,
        processes=setup.processes,
    )


def _validation(
    setup: Setup, embedder: TableEmbedder, params: Params, files: TrainPaths
) -> Callable[[nn.Module], dict[str, float]]:
    """Return the validation: on pairs and, with a split by images, of the classification."""
    pairs = read_validation_pairs(files.triplets)
    on_pairs = PairValidation(
        embedder=embedder,
        left=pairs["left"].to_numpy(np.int64),
        right=pairs["right"].to_numpy(np.int64),
        same=pairs["same"].to_numpy(bool),
    )
    classify = setup.classify
    _check_selectable(params, len(pairs) + (len(classify.rows) if classify else 0))
    return on_pairs if classify is None else lambda network: {**on_pairs(network), **classify(network)}


def _check_selectable(params: Params, validated: int) -> None:
    if params.train.select == "best" and not validated:
        raise ParamsInvalid(
            "train.select best requires validation, and no photo is left for it. "
            "Raise triplets.validation_fraction, or set train.select to last."
        )


def _evaluation(embedder: TableEmbedder, params: Params, files: TrainPaths) -> dict[str, Any]:
    """Return the trainer's arguments for evaluation during training; none if it is disabled."""
    if not params.train.evaluate_every:
        return {}
    evaluate = PairEvaluation(
        embedder=embedder,
        pairs=read_evaluation_pairs(files.triplets),
        distance=params.train.evaluate_distance,
        flip=params.train.evaluate_flip,
        subtract_mean=params.train.evaluate_subtract_mean,
    )
    return {"evaluate": evaluate, "evaluate_every": params.train.evaluate_every}


def _digests(files: TrainPaths) -> dict[str, str]:
    """Return the digests of the data that dvc.yaml lists as dependencies."""
    return {"aligned": folder_digest(files.aligned), "triplets": folder_digest(files.triplets)}
