import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet.evaluation.closed_set import closed_set
from facenet.training import EpochReport
from tasks.train.classified import Classified
from tasks.train.output import draw_history, final_metrics, selection, smoothed_losses, write_history


def epoch(
    number: int,
    *,
    validation: dict[str, float] | None = None,
    evaluation: dict[str, float] | None = None,
    inactive: int = 0,
    **metrics: float,
) -> EpochReport:
    return EpochReport(
        epoch=number,
        steps=4,
        images=40,
        loss=1 / number,
        lr=0.01,
        inactive_steps=inactive,
        seconds=2.0,
        metrics=metrics,
        validation=validation or {},
        evaluation=evaluation or {},
    )


HISTORY = [
    epoch(1, accuracy=0.5),
    epoch(2, validation={"accuracy": 0.75, "threshold": 1.1}, accuracy=0.6, inactive=4),
    epoch(3, validation={"accuracy": 0.8, "threshold": 1.2}, evaluation={"accuracy": 0.7}, inactive=1),
]


SELECTABLE = [epoch(1, validation={"accuracy": 0.75}), epoch(2)]


def test_history_has_a_row_per_epoch_and_gaps_for_missing_metrics(tmp_path: Path) -> None:
    write_history(tmp_path / "history.csv", HISTORY)
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["epoch", "loss", "lr", "images_per_second", "validation_accuracy"]
    assert [row["loss"] for row in rows] == ["1", "0.5", "0.333333"]
    assert [row["validation_accuracy"] for row in rows] == ["", "0.75", "0.8"]
    assert [row["evaluation_accuracy"] for row in rows] == ["", "", "0.7"]
    assert [row["train_accuracy"] for row in rows] == ["0.5", "0.6", ""]
    assert [row["images_per_second"] for row in rows] == ["20"] * 3


def test_an_epoch_without_a_step_has_no_loss(tmp_path: Path) -> None:
    empty = replace(epoch(4, mined_triplets=0.0), steps=0, images=0, seconds=0.0, loss=math.nan)
    write_history(tmp_path / "history.csv", [*HISTORY, empty])
    with (tmp_path / "history.csv").open() as file:
        assert [row["loss"] for row in csv.DictReader(file)] == ["1", "0.5", "0.333333", ""]
    metrics = final_metrics([*HISTORY, empty])
    assert (metrics["loss"], metrics["epochs_without_triplets"]) == (HISTORY[-1].loss, 1)
    assert final_metrics(HISTORY)["epochs_without_triplets"] == 0


def test_no_epochs_leave_the_header(tmp_path: Path) -> None:
    write_history(tmp_path / "history.csv", [])
    assert (tmp_path / "history.csv").read_text() == "epoch,loss,lr,images_per_second,validation_accuracy\n"


@pytest.mark.parametrize(
    ("epochs", "epoch", "rule", "reason"),
    [
        (0, 0, "last", "no epoch was trained"),
        (2, 2, "last", "the last epoch"),
        (2, 1, "best", "the highest validation accuracy of 1 epochs, 0.7500"),
    ],
)
def test_the_selection_says_which_epoch_and_why(epochs: int, epoch: int, rule: str, reason: str) -> None:
    found = selection(SELECTABLE[:epochs], epoch, rule)
    assert found == {"rule": rule, "epoch": epoch, "epochs": epochs, "reason": reason}


def test_metrics_are_those_of_the_selected_epoch() -> None:
    metrics = final_metrics(SELECTABLE, 1)
    assert (metrics["epochs"], metrics["loss"], metrics["validation"]) == (
        2,
        SELECTABLE[0].loss,
        {"accuracy": 0.75},
    )
    assert final_metrics(SELECTABLE)["loss"] == SELECTABLE[1].loss != SELECTABLE[0].loss


@pytest.mark.parametrize("history", [HISTORY, HISTORY[:1], []])
def test_the_plot_is_deterministic(tmp_path: Path, history: list[EpochReport]) -> None:
    for name in ("a.png", "b.png"):
        draw_history(tmp_path / name, history)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (900, 400)


def test_metrics_are_totals_and_the_last_epoch() -> None:
    metrics = final_metrics(HISTORY)
    assert (metrics["epochs"], metrics["steps"], metrics["images_per_second"]) == (3, 12, 20.0)
    assert metrics["loss"] == pytest.approx(1 / 3)
    assert metrics["validation"] == HISTORY[-1].validation
    assert (metrics["inactive_steps"], metrics["inactive_epochs"]) == (5, 1)
    assert metrics["minutes"] == 0.1
    assert final_metrics([])["loss"] is None


def test_the_training_loss_is_smoothed_over_500_steps() -> None:
    random = np.random.default_rng(0)
    losses = [random.normal(size=count).tolist() for count in (400, 0, 301)]
    losses[0][3] = math.nan
    history = [replace(epoch(n + 1), losses=of) for n, of in enumerate(losses)]
    places, means = smoothed_losses(history)
    flat = [loss for of in losses for loss in of]
    assert len(places) == len(means) == 701
    for step in (0, 3, 399, 400, 503, 504, 700):
        window = [loss for loss in flat[max(0, step - 499) : step + 1] if math.isfinite(loss)]
        assert means[step] == pytest.approx(sum(window) / len(window))
    assert (places[0], places[399], places[400], places[700]) == (1 / 400, 1, 2 + 1 / 301, 3)
    assert [len(part) for part in smoothed_losses([])] == [0, 0]


def test_both_curves_of_a_split_by_images_are_plotted(tmp_path: Path) -> None:
    fields = {"cross_entropy": 2.0, "classification_accuracy": 0.5}
    history = [replace(epoch(n, validation=fields), losses=[2.0, 1.0]) for n in (1, 2)]
    draw_history(tmp_path / "with.png", history)
    draw_history(tmp_path / "without.png", [replace(report, validation={}) for report in history])
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()


def test_the_last_ten_evaluations_are_averaged() -> None:
    history = [epoch(n, evaluation={"accuracy": n / 100, "val": 0.5}) for n in range(1, 14)]
    mean = final_metrics([*history, epoch(14)])["evaluation_mean"]
    assert mean == {"evaluations": 10, "accuracy": pytest.approx(0.085), "val": 0.5}
    assert "evaluation_mean" not in final_metrics([epoch(1)])


def test_the_confusion_matrix_is_drawn(tmp_path: Path) -> None:
    labels = np.array([0, 0, 1, 2])
    for name, predicted in (("some.png", labels[::-1]), ("none.png", labels)):
        confused = Classified(closed_set(labels, predicted), ["Ann", "Bob", "Cid"], 4)
        draw_history(tmp_path / name, HISTORY, confused)
    with Image.open(tmp_path / "some.png") as some, Image.open(tmp_path / "none.png") as none:
        assert (some.size, none.size) == ((1400, 400), (900, 400))
