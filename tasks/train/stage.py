"""The stage: set up or resume a run, train, record and write it."""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from facenet.model import ModelCard, NetworkCard, save_model
from facenet.training import Checkpoints, Trainer, TrainingInterrupted
from tasks.params import Params
from tasks.tracking import commit
from tasks.tracking.provenance import dvc_md5
from tasks.tracking.recorded import RecordedRun, recorded_run
from tasks.train import build, output
from tasks.train.classified import classified
from tasks.train.init import origin
from tasks.train.interrupt import StopRequest
from tasks.train.machine import machine
from tasks.train.record import Recorder
from tasks.train.setup import Setup, TrainPaths, prepare

CHECKPOINT_SECONDS = 180.0


def run(
    params: Params, files: TrainPaths | None = None, *, checkpoint_seconds: float = CHECKPOINT_SECONDS
) -> dict[str, Any] | None:
    """Train, write model, history and plot, and return the metrics of the report.

    If a run with the same parameters, data and code was interrupted, it resumes from its last checkpoint,
    even within an epoch, and ends with the same weights as without the interruption (on a CPU: given the same
    number of threads). Of several processes the main one does all this; the others only train, and return
    None.

    Raises:
        DataInvalid, ParamsInvalid, WeightsInvalid, DownloadFailed: see `prepare`.
        TrainingDiverged, EmbeddingCollapsed, NoTriplets: the run failed; its last checkpoint is kept.
        SystemExit: 143 after SIGTERM, 130 after Ctrl-C, with a checkpoint of the last step.
    """
    files = files or TrainPaths()
    setup = prepare(params, files)
    with StopRequest() as stop:
        if setup.trainer:
            setup.trainer.checkpoint_seconds, setup.trainer.should_stop = checkpoint_seconds, stop
        metrics = None
        if setup.processes.main:
            metrics = _lead(setup, params, files, stop)
        elif setup.trainer:
            _follow(setup.trainer, stop)
    setup.processes.leave()
    return metrics


def _lead(setup: Setup, params: Params, files: TrainPaths, stop: StopRequest) -> dict[str, Any]:
    _announce(setup, params, files)
    with _tracked(params, setup.checkpoints) as tracked:
        _log_inputs(tracked, setup, params)
        if setup.trainer:
            _train(setup.trainer, tracked, stop)
        metrics = _write(setup, params, files, tracked)
    setup.checkpoints.remove()
    return metrics


def _follow(trainer: Trainer, stop: StopRequest) -> None:
    """Train together with the main process."""
    try:
        for _report in trainer.run():
            pass
    except TrainingInterrupted as interrupted:
        raise SystemExit(stop.exit_code) from interrupted


def _train(trainer: Trainer, tracked: RecordedRun, stop: StopRequest) -> None:
    epochs = trainer.schedule.last_epoch
    steps = epochs * len(trainer.loader)
    try:
        with Recorder(tracked.outbox, steps=steps, done=trainer.step, epochs=epochs) as recorder:
            trainer.on_step = recorder.step
            if trainer.mining:
                trainer.mining.on_faces = recorder.faces
            for report in trainer.run():
                recorder.epoch(report)
    except TrainingInterrupted as interrupted:
        raise SystemExit(stop.exit_code) from interrupted


def _write(setup: Setup, params: Params, files: TrainPaths, tracked: RecordedRun) -> dict[str, Any]:
    """Write model, history and plot, log them to the run, and return the metrics of the report."""
    history = setup.trainer.history if setup.trainer else []
    epoch = setup.trainer.select_model() if setup.trainer else 0
    selection = output.selection(history, epoch, params.train.select)
    card = dataclasses.replace(_card(setup, params, tracked), selection=selection)
    card = save_model(setup.model, card, weights=files.weights, card_path=files.card)
    output.write_history(files.reports / "history.csv", history)
    confused = classified(setup)
    output.draw_history(files.reports / "history.png", history, confused)
    tracked.outbox.log_file(files.card, "model")
    for name in ("history.csv", "history.png"):
        tracked.outbox.log_file(files.reports / name, "reports")
    return {
        **output.final_metrics(history, epoch),
        "selection": selection,
        **(confused.metrics() if confused else {}),
        "processes": setup.processes.count,
        "images": len(setup.faces.rows),
        "identities": setup.faces.identities,
        "resumed": setup.trainer is not None and setup.trainer.resumed,
        "device": setup.device.type,
        "precision": setup.precision,
        "parameters": setup.parameters,
        "weights_sha256": card.weights_sha256,
    }


def _card(setup: Setup, params: Params, tracked: RecordedRun) -> ModelCard:
    sections, train = build.sections(params), params.train
    return ModelCard(
        network=NetworkCard(
            name=train.network,
            embedding_size=train.embedding_size,
            image_size=train.image_size,
            dropout=train.dropout,
            variant=setup.network.variant,
        ),
        align=sections["align"],
        standardisation=train.standardisation,
        commit=commit() or None,
        params=sections,
        data=setup.data,
        origin=origin(setup.data.get("init")),
        machine=machine(setup.device, setup.precision, setup.processes.count),
        mlflow={"run_id": tracked.run_id(), "outbox": tracked.outbox.name},
    )


@contextmanager
def _tracked(params: Params, checkpoints: Checkpoints) -> Iterator[RecordedRun]:
    """Yield the MLflow run: the one in which this training started, if it is resumed."""
    tags = {"checkpoints": checkpoints.folder.name}
    with recorded_run(checkpoints.folder, name=run_name(params), tags=tags) as tracked:
        yield tracked


def run_name(params: Params) -> str:
    """Return the name of the MLflow run: network, loss, sources and commit."""
    sources = "+".join(dict.fromkeys(source.kind for source in params.ingest.sources))
    version = commit()
    short = f", {version[:7]}{'-dirty' if version.endswith('-dirty') else ''}" if version else ""
    return f"{params.train.network} {params.train.loss} on {sources}{short}"


def _log_inputs(tracked: RecordedRun, setup: Setup, params: Params) -> None:
    tracked.outbox.log_params(build.sections(params))
    machine = {"device": setup.device.type, "precision": setup.precision, "parameters": setup.parameters}
    tracked.outbox.log_params({"resolved": machine})
    for name, digest in setup.data.items():
        tracked.outbox.log_dataset(name, digest, f"data/{name}", dvc_md5(f"data/{name}"))


def _announce(setup: Setup, params: Params, files: TrainPaths) -> None:
    """Print one line about the run, and how many others are unfinished."""
    trainer, faces = setup.trainer, setup.faces
    most = "at most " if trainer and trainer.mining else ""
    epochs = trainer.schedule.last_epoch if trainer else 0
    steps = f"{epochs} epochs of {most}{len(trainer.loader)} steps" if trainer else "no epochs"
    resumed = f", resuming after step {trainer.step}" if trainer and trainer.resumed else ""
    sys.stderr.write(
        f"{params.train.network} ({setup.parameters:,} parameters) on {setup.device.type} in "
        f"{setup.precision}: {len(faces.rows):,} images of {faces.identities:,} people, {steps}{resumed}\n"
    )
    if trainer and trainer.resumed and setup.device.type == "cpu":
        _warn_of_threads(trainer.saved_threads, torch.get_num_threads())
    others = _unfinished(files.checkpoints, setup.checkpoints.folder)
    if others:
        sys.stderr.write(
            f"{files.checkpoints} has {len(others)} unfinished runs with other parameters. "
            "Remove those you no longer need.\n"
        )


def _warn_of_threads(before: int | None, now: int) -> None:
    """Warn that the run is not bit-identical: with other threads, sums are rounded differently."""
    if before != now:
        sys.stderr.write(
            f"The checkpoint was written with {before} threads, but this run has {now}. Its weights may "
            "differ in the last bits from those of an uninterrupted run. "
            f"Set OMP_NUM_THREADS={before} to avoid that.\n"
        )


def _unfinished(checkpoints: Path, own: Path) -> list[Path]:
    return sorted(folder.parent for folder in checkpoints.glob("*/last.pt") if folder.parent != own)
