import math

import pytest

from facenet.errors import ParamsInvalid
from facenet.training.schedule import Schedule

CASIA = {
    0: 0.05,
    60: 0.005,
    80: 0.0005,
    91: -1.0,
}  # davidsandberg/facenet, learning_rate_schedule_classifier_casia


def steps_schedule(table: dict[int, float], *, epochs: int = 150, steps_per_epoch: int = 10) -> Schedule:
    return Schedule(
        kind="steps", lr=1.0, warmup=0.0, epochs=epochs, steps_per_epoch=steps_per_epoch, table=table
    )


def naive_rate(table: dict[int, float], epoch: int) -> float | None:
    lr = None
    for first, value in sorted(table.items()):
        if first <= epoch:
            lr = value
    return None if lr is None or lr <= 0 else lr


def test_table_applies_from_its_epochs_and_stops_at_minus_one() -> None:
    schedule = steps_schedule(CASIA)
    for step in range(150 * 10):
        assert schedule(step) == naive_rate(CASIA, step // 10 + 1)
    assert schedule.last_epoch == 90


def test_epochs_count_from_one() -> None:
    schedule = steps_schedule({0: 0.1, 2: 0.01}, steps_per_epoch=3)
    assert [schedule(step) for step in range(6)] == [0.1, 0.1, 0.1, 0.01, 0.01, 0.01]


def test_a_table_without_a_stop_runs_to_the_last_epoch() -> None:
    schedule = steps_schedule({0: 0.1, 150: 0.01}, epochs=200)
    assert schedule.last_epoch == 200
    assert schedule(199 * 10 + 9) == 0.01
    assert schedule(200 * 10) is None


def test_a_table_that_stops_immediately_runs_no_epoch() -> None:
    assert steps_schedule({0: 0.1, 1: -1.0}).last_epoch == 0
    assert steps_schedule({0: -1.0, 5: 0.1}).last_epoch == 0


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({}, "epoch 1"),
        ({2: 0.1}, "epoch 1"),
        ({0: 0.1, 5: 0.0}, "must be positive"),
        ({0: -0.5}, "must be positive"),
    ],
)
def test_invalid_tables_are_rejected(table: dict[int, float], word: str) -> None:
    with pytest.raises(ParamsInvalid, match=word):
        steps_schedule(table)


def test_unknown_kind_is_rejected() -> None:
    with pytest.raises(ParamsInvalid, match="sawtooth"):
        Schedule(kind="sawtooth", lr=1.0, warmup=0.0, epochs=1, steps_per_epoch=1)


@pytest.mark.parametrize("kind", ["cosine", "one_cycle"])
@pytest.mark.parametrize("warmup", [0.0, 0.3, 1.0])
def test_curves_rise_to_the_lr_and_fall_to_zero(kind: str, warmup: float) -> None:
    schedule = Schedule(kind=kind, lr=2.0, warmup=warmup, epochs=10, steps_per_epoch=100)
    lrs = [schedule(step) for step in range(1000)]
    assert all(lr is not None and 0 < lr <= 2.0 for lr in lrs)
    peak = lrs.index(max(lrs))  # type: ignore[type-var]  # None was excluded above
    assert abs(peak - warmup * 1000) <= 1
    assert lrs[: peak + 1] == sorted(lrs[: peak + 1])  # type: ignore[type-var]  # as above
    assert lrs[peak:] == sorted(lrs[peak:], reverse=True)  # type: ignore[type-var]  # as above
    assert max(lrs) == pytest.approx(2.0, rel=1e-2)  # type: ignore[type-var]  # as above
    assert schedule(1000) is None


def test_golden_values_of_the_curves() -> None:
    """One step per epoch and four epochs: the middles of the steps are at 1/8, 3/8, 5/8, 7/8 of the run."""
    cosine = Schedule(kind="cosine", lr=1.0, warmup=0.5, epochs=4, steps_per_epoch=1)
    cycle = Schedule(kind="one_cycle", lr=1.0, warmup=0.5, epochs=4, steps_per_epoch=1)
    low, high = (1 - math.cos(math.pi / 4)) / 2, (1 + math.cos(math.pi / 4)) / 2
    assert [cosine(step) for step in range(4)] == pytest.approx([0.25, 0.75, high, low])
    assert [cycle(step) for step in range(4)] == pytest.approx([low, high, high, low])


@pytest.mark.parametrize("kind", ["cosine", "one_cycle"])
def test_a_curve_is_a_naive_walk_over_its_steps(kind: str) -> None:
    """Written out step by step with the climb counted in steps: 30 of 100."""
    schedule = Schedule(kind=kind, lr=0.4, warmup=0.3, epochs=10, steps_per_epoch=10)
    for step in range(100):
        middle = step + 0.5
        if middle < 30:
            height = middle / 30 if kind == "cosine" else 0.5 - 0.5 * math.cos(math.pi * middle / 30)
        else:
            height = 0.5 + 0.5 * math.cos(math.pi * (middle - 30) / 70)
        assert schedule(step) == pytest.approx(0.4 * height, rel=1e-12)
        assert schedule.momentum(step) is None


def walk_cycles(lr: float, half: int, steps: int) -> list[tuple[float, float]]:
    """Rate and momentum after each step, added up as somebody would who knows no formula."""
    low, momentum, walked = lr / 3, 0.95, list[tuple[float, float]]()
    while len(walked) < steps:
        now = low
        rise = (lr - low) / half
        for direction in [1] * half + [-1] * half:
            now += direction * rise
            momentum -= direction * 0.1 / half
            walked.append((now, momentum))
        lower = low - 0.15 * low
        for _ in range(half // 2):
            now -= (low - lower) / (half // 2)
            walked.append((now, momentum))
        low = lower
    return walked[:steps]


@pytest.mark.parametrize(
    ("steps_per_epoch", "half_cycle", "half"), [(10, 2, 20), (7, 1, 7), (3, 1.5, 4), (1, 1, 1), (1, 0.1, 1)]
)
def test_cyclical_is_the_walk_of_triangles_and_tails(
    steps_per_epoch: int, half_cycle: float, half: int
) -> None:
    schedule = Schedule(
        kind="cyclical",
        lr=3e-4,
        warmup=0.0,
        epochs=40,
        steps_per_epoch=steps_per_epoch,
        half_cycle=half_cycle,
    )
    steps = 40 * steps_per_epoch
    for step, (lr, momentum) in enumerate(walk_cycles(3e-4, half, steps)):
        assert schedule(step) == pytest.approx(lr, rel=1e-9)
        assert schedule.momentum(step) == pytest.approx(momentum, rel=1e-9)
    assert schedule(steps) is None


def test_golden_values_of_the_first_cycle() -> None:
    """Of a highest lr of 3e-4 and a half-cycle of two epochs: peak, valley, and the next lowest lr."""
    schedule = Schedule(kind="cyclical", lr=3e-4, warmup=0.0, epochs=50, steps_per_epoch=10)
    assert schedule(19) == pytest.approx(3e-4)
    assert schedule.momentum(19) == pytest.approx(0.85)
    assert schedule(39) == pytest.approx(1e-4)
    assert schedule.momentum(39) == pytest.approx(0.95)
    assert (schedule(49), schedule.momentum(45)) == (pytest.approx(0.85e-4), pytest.approx(0.95))
