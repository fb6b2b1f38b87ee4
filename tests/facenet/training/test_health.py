import math

import pytest
import torch

from facenet.errors import EmbeddingCollapsed, TrainingDiverged
from facenet.training.health import NARROW, PATIENCE, CollapseWatch, Moment, check_finite, check_weights


@pytest.mark.parametrize(
    ("step", "precision", "cause"),
    [(1, "fp32", r"train\.init"), (9, "fp16", "65504"), (9, "bf16", r"learning rate 0\.1 is too high")],
)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_likely_cause_is_named(value: float, step: int, precision: str, cause: str) -> None:
    check_finite(1e30, "loss", Moment(step=step, lr=0.1, precision=precision))  # large, and no reason to stop
    with pytest.raises(TrainingDiverged, match=cause):
        check_finite(value, "loss", Moment(step=step, lr=0.1, precision=precision))


def test_one_bad_weight_is_enough() -> None:
    moment = Moment(step=5, lr=0.1, precision="fp32")
    check_weights([torch.zeros(3), torch.tensor(7)], moment)  # finite ones, a counter among them, pass
    with pytest.raises(TrainingDiverged, match="state of the network"):
        check_weights([torch.zeros(3), torch.tensor([0.0, math.inf])], moment)


def test_collapse_is_reported_after_patience_steps_in_a_row() -> None:
    watch = CollapseWatch()
    for _ in range(PATIENCE - 1):
        watch.check(0.2, NARROW / 10)
    watch.check(0.2, NARROW * 10)
    for _ in range(PATIENCE - 1):
        watch.check(0.2, NARROW / 10)
    with pytest.raises(EmbeddingCollapsed, match=r"train\.mining"):
        watch.check(0.2, NARROW / 10)


def test_losses_without_a_spread_never_collapse() -> None:
    watch = CollapseWatch()
    for _ in range(3 * PATIENCE):
        watch.check(0.2, None)
    assert watch.steps == 0
