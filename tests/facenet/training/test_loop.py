import dataclasses
import math
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from facenet.errors import EmbeddingCollapsed, NoTriplets, TrainingDiverged, WeightsInvalid
from facenet.mining.mined import MinedPlan, WholeSetMiner
from facenet.training import Checkpoints, ImagePlan, StepReport, Trainer, TrainingInterrupted, UpdateOptions
from facenet.training.health import PATIENCE
from tests.facenet.training.tiny import BATCH, LABELS, Output, TinyLoss, make_trainer, recipe, same, weights

STEPS = len(LABELS) // BATCH  # of an epoch


def test_it_learns_and_reports_every_step_and_epoch(tmp_path: Path) -> None:
    steps: list[StepReport] = []
    trainer = make_trainer(tmp_path, epochs=30, on_step=steps.append)
    reports = list(trainer.run())
    assert [report.epoch for report in reports] == list(range(1, 31))
    assert [report.step for report in steps] == list(range(1, 30 * STEPS + 1))
    assert [(s.epoch, s.batch) for s in steps[: STEPS + 1]] == [(1, b) for b in range(1, STEPS + 1)] + [
        (2, 1)
    ]
    assert all(report.images == STEPS * BATCH and report.images_per_second > 0 for report in reports)
    assert reports[0].loss == pytest.approx(np.mean([step.loss for step in steps[:STEPS]]))
    assert steps[9].lr == pytest.approx(trainer.schedule(9))
    assert all(step.metrics["gradient_norm"] > 0 for step in steps)
    assert reports[-1].loss < 0.7 * reports[0].loss
    assert trainer.history == reports


def test_cyclical_momentum_reaches_the_optimiser(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, optimizer="adam", epochs=2)
    trainer.schedule = dataclasses.replace(trainer.schedule, kind="cyclical", half_cycle=1.0)
    seen = []
    trainer.on_step = lambda _report: seen.append(trainer.optimizer.param_groups[0]["betas"])
    list(trainer.run())
    assert seen == [(trainer.schedule.momentum(step), 0.999) for step in range(2 * STEPS)]
    assert min(seen) == (pytest.approx(0.85), 0.999)


def test_bf16_and_fp32_runs_follow_each_other_in_one_process(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16", "fp32"):
        trainer = make_trainer(tmp_path, precision=precision, epochs=2, checkpoints=None)
        losses[precision] = [report.loss for report in trainer.run()]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
    assert losses["bf16"] != losses["fp32"]


def test_no_epochs_leave_the_weights_unchanged(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, epochs=0)
    before = weights(trainer)
    assert list(trainer.run()) == []
    assert same(weights(trainer), before)


def test_a_batch_larger_than_the_set_is_one_step_an_epoch(tmp_path: Path) -> None:
    plan = ImagePlan(LABELS, batch_size=1000, balance=0.0, seed=1)
    reports = list(make_trainer(tmp_path, plan=plan, epochs=2).run())
    assert [(report.steps, report.images) for report in reports] == [(1, len(LABELS))] * 2


def check_kept_batch(trainer: Trainer, *, epoch: int, number: int) -> None:
    assert trainer.checkpoints
    batch = load_file(trainer.checkpoints.batch)
    faces, labels = trainer.loader.dataset[trainer.loader.batch_indices(epoch)[number]]
    assert torch.equal(batch["faces"], faces)
    assert torch.equal(batch["labels"], labels)
    assert batch["step"].item() == trainer.step == (epoch - 1) * STEPS + number + 1


def test_nan_stops_with_step_learning_rate_and_cause(tmp_path: Path) -> None:
    class Broken(TinyLoss):
        calls = 0

        def forward(self, prelogits: Tensor, labels: Tensor) -> Output:
            self.calls += 1
            output = super().forward(prelogits, labels)
            return Output(output.value * (math.nan if self.calls == STEPS + 2 else 1), output.metrics)

    trainer = make_trainer(tmp_path, loss=Broken())
    with pytest.raises(
        TrainingDiverged, match=rf"loss is nan at step {STEPS + 2}, .*learning rate.*batch\.safetensors"
    ):
        list(trainer.run())
    check_kept_batch(trainer, epoch=2, number=1)
    kept = trainer.checkpoints.load() if trainer.checkpoints else None
    assert kept is not None
    assert kept["step"] == STEPS
    assert all(torch.isfinite(t).all() for t in kept["objective"].values())


def test_a_gradient_that_is_not_finite_stops_before_the_weights_are_touched(tmp_path: Path) -> None:
    class Infinite(TinyLoss):
        def forward(self, prelogits: Tensor, labels: Tensor) -> Output:
            # The root of zero is zero, and its slope infinite.
            return Output(
                super().forward(prelogits, labels).value + (prelogits - prelogits).abs().sum().sqrt()
            )

    trainer = make_trainer(tmp_path, loss=Infinite())
    before = weights(trainer)
    with pytest.raises(TrainingDiverged, match="gradient is nan at step 1"):
        list(trainer.run())
    after = weights(trainer)
    parameters = [name for name in before if "bn.running" not in name and "num_batches" not in name]
    assert all(torch.equal(before[name], after[name]) for name in parameters)


def test_an_excessive_learning_rate_is_reported(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, lr=1e30, optimizer="sgd")
    with pytest.raises(TrainingDiverged, match=r"lower train\.schedule\.rate"):
        list(trainer.run())


class OnePoint(nn.Module):
    """A loss that says what a collapsed triplet loss says."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self.spread = spread

    def forward(self, prelogits: Tensor, labels: Tensor) -> Output:
        metrics = {"spread": self.spread, "active_share": 0.0, "candidates": 0.0}
        return Output(prelogits.sum() * 0 + 0.2, metrics)


def test_collapse_stops_the_run_also_across_a_resume(tmp_path: Path) -> None:
    stopping = make_trainer(tmp_path, loss=OnePoint(1e-6), epochs=100)
    stopping.should_stop = lambda: stopping.step == PATIENCE - 5
    with pytest.raises(TrainingInterrupted):
        list(stopping.run())
    trainer = make_trainer(tmp_path, loss=OnePoint(1e-6), epochs=100)
    with pytest.raises(EmbeddingCollapsed, match=r"one point.*0\.2000.*batch\.safetensors"):
        list(trainer.run())
    assert trainer.step == PATIENCE
    check_kept_batch(trainer, epoch=(PATIENCE - 1) // STEPS + 1, number=(PATIENCE - 1) % STEPS)


def test_steps_without_an_active_triplet_are_counted(tmp_path: Path) -> None:
    reports = list(make_trainer(tmp_path, loss=OnePoint(0.5), epochs=2).run())
    assert [report.inactive_steps for report in reports] == [STEPS, STEPS]


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, checkpoint_seconds=0.0)

    def ruin(report: StepReport) -> None:
        if report.step == 3:
            with torch.no_grad():
                next(trainer.network.parameters()).fill_(math.inf)

    trainer.on_step = ruin
    with pytest.raises(TrainingDiverged, match=r"state of the network is nan at step 3.*batch\.safetensors"):
        list(trainer.run())
    check_kept_batch(trainer, epoch=1, number=2)
    kept = Checkpoints(tmp_path / "checkpoints").load()
    assert kept is not None
    assert kept["step"] == 2


def test_without_checkpoints_no_file_is_named(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, lr=1e30, optimizer="sgd", checkpoints=None)
    with pytest.raises(TrainingDiverged, match=r"is kept\.$"):
        list(trainer.run())
    assert not list(tmp_path.rglob("*.safetensors"))


def test_the_average_is_what_is_validated(tmp_path: Path) -> None:
    seen: list[nn.Module] = []

    def validate(model: nn.Module) -> dict[str, float]:
        seen.append(model)
        return {"accuracy": 0.5}

    trainer = make_trainer(tmp_path, options=UpdateOptions(ema=0.9), validate=validate, epochs=2)
    list(trainer.run())
    assert seen == [trainer.model] * 2
    assert trainer.model is not trainer.network


def test_validation_runs_every_few_epochs_and_at_the_end(tmp_path: Path) -> None:
    accuracies = iter([0.9, 0.8, 0.7])
    trainer = make_trainer(
        tmp_path,
        epochs=5,
        validate_every=2,
        select="best",
        validate=lambda _network: {"accuracy": next(accuracies)},
    )
    reports = list(trainer.run())
    assert [report.validation for report in reports] == [
        {},
        {"accuracy": 0.9},
        {},
        {"accuracy": 0.8},
        {"accuracy": 0.7},
    ]
    assert trainer.checkpoints
    assert len(torch.load(trainer.checkpoints.best, weights_only=True)["history"]) == 2


def test_evaluation_has_its_own_interval_and_selects_nothing(tmp_path: Path) -> None:
    metrics = iter([0.9, 0.1])
    trainer = make_trainer(
        tmp_path,
        epochs=4,
        select="best",
        validate=lambda _network: {"accuracy": 0.5},
        evaluate=lambda _network: {"accuracy": next(metrics)},
        evaluate_every=3,
    )
    reports = list(trainer.run())
    assert [report.evaluation for report in reports] == [{}, {}, {"accuracy": 0.9}, {"accuracy": 0.1}]
    assert trainer.select_model() == 1
    assert make_trainer(tmp_path, epochs=4).history == trainer.history


def test_triplets_are_mined_before_each_epoch(tmp_path: Path) -> None:
    steps: list[StepReport] = []
    trainer = make_trainer(tmp_path, epochs=6, on_step=steps.append, **recipe("remined"))
    assert trainer.mining
    plan, seen = trainer.mining.plan, []
    for report in trainer.run():
        seen.append({tuple(triplet) for triplet in plan.triplets.tolist()})
        assert report.metrics["mined_triplets"] == len(plan.triplets) > 0
        assert report.steps == len(plan.batches(report.epoch)) == len(plan.triplets) // 3
        a, p, n = (LABELS[column] for column in plan.triplets.T)
        assert ((a == p) & (a != n)).all()
    assert all(one != other for one, other in pairwise(seen))
    assert len({report.batches for report in steps}) > 1, "epochs of several lengths"
    # The learning rate follows the progress of the run, however long the epochs are.
    for report in steps:
        point = (report.epoch - 1) * len(plan) + (report.batch - 1) * len(plan) // report.batches
        assert report.lr == trainer.schedule(point)
    assert steps[-1].lr < steps[len(steps) // 2].lr


class NothingWithin(WholeSetMiner):
    """Finds nothing after the first epochs, as if everybody were far from everybody else."""

    def triplets(self, number: int, embed: Any) -> Any:
        found = super().triplets(number, embed)
        return found if number in (1, 3) else found[:0]


def test_epochs_without_a_triplet_are_counted_and_several_in_a_row_stop_the_run(tmp_path: Path) -> None:
    def start() -> Trainer:
        miner = NothingWithin(labels=LABELS, margin=0.3, max_rows=20, seed=3)
        options = {**recipe("remined"), "plan": MinedPlan(miner, batch_size=9, seed=3)}
        return make_trainer(tmp_path, epochs=9, **options)

    trainer = start()
    with pytest.raises(NoTriplets, match=r"no triplet for 3 epochs in a row: for \d+% of the pairs"):
        list(trainer.run())
    assert [report.steps > 0 for report in trainer.history] == [True, False, True, False, False]
    assert math.isnan(trainer.history[1].loss)
    assert trainer.history[1].metrics == {"mined_triplets": 0.0}
    again = start()
    assert [report.epoch for report in again.history] == [1, 2, 3, 4, 5]
    with pytest.raises(NoTriplets, match="3 epochs in a row"):
        list(again.run())


ACCURACIES = [0.6, 0.8, 0.8, 0.7]


def selecting(folder: Path, select: str, **options: Any) -> Trainer:
    """Return a trainer whose second epoch has the best validation accuracy; the third equals it."""
    done: list[Trainer] = []

    def validate(_network: nn.Module) -> dict[str, float]:
        return {"accuracy": ACCURACIES[len(done[0].history)]}

    done.append(make_trainer(folder, validate=validate, select=select, **options))
    return done[0]


@pytest.mark.parametrize("ema", [None, 0.9])
def test_best_selects_the_model_of_the_first_best_epoch(tmp_path: Path, ema: float | None) -> None:
    trainer = selecting(tmp_path, "best", options=UpdateOptions(ema=ema))
    seen = [{name: t.clone() for name, t in trainer.model.state_dict().items()} for _ in trainer.run()]
    assert trainer.select_model() == 2
    assert same(trainer.model.state_dict(), seen[1])
    assert not same(trainer.model.state_dict(), seen[2])
    assert len(trainer.history) == 4


def test_last_selects_the_last_epoch_and_writes_no_best_checkpoint(tmp_path: Path) -> None:
    trainer = selecting(tmp_path, "last")
    list(trainer.run())
    assert trainer.select_model() == 4
    assert trainer.checkpoints
    assert not trainer.checkpoints.best.exists()


@pytest.mark.parametrize("steps", [3, 7, 9, 11, 16])
def test_the_selection_survives_a_stop_at_any_step(tmp_path: Path, steps: int) -> None:
    """Four epochs of four steps: stopped before, in and after the best one, and after the last."""
    whole = selecting(tmp_path / "whole", "best")
    list(whole.run())
    whole.select_model()
    first = selecting(tmp_path / "stopped", "best")
    first.should_stop = lambda: first.step == steps
    with pytest.raises(TrainingInterrupted):
        list(first.run())
    second = selecting(tmp_path / "stopped", "best")
    list(second.run())
    assert second.select_model() == 2
    assert same(second.model.state_dict(), whole.model.state_dict())


def test_a_best_checkpoint_that_is_gone_is_reported(tmp_path: Path) -> None:
    trainer = selecting(tmp_path, "best")
    list(trainer.run())
    assert trainer.checkpoints
    trainer.checkpoints.best.unlink()
    with pytest.raises(WeightsInvalid, match=r"best checkpoint is missing. Remove .* and train again"):
        trainer.select_model()


def test_without_an_epoch_nothing_is_selected(tmp_path: Path) -> None:
    assert selecting(tmp_path, "best", epochs=0).select_model() == 0


def test_it_emits_no_warnings(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(make_trainer(tmp_path, epochs=1, precision="bf16").run())
    assert not caught
