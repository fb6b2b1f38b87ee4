"""Section train: ranges, choices, the schedule's defaults and unknown keys."""

from typing import Any

import pytest

from tests.tasks.params.changed import MISSING, parsed, refusal, refused, unknown


def test_the_schedule_has_defaults() -> None:
    changes = {"train.schedule.half_cycle": MISSING, "train.schedule.steps": MISSING}
    schedule = parsed(changes).train.schedule
    assert (schedule.half_cycle, schedule.steps) == (2.0, {})


def test_a_table_of_learning_rates_keeps_its_order_and_types() -> None:
    steps = {0: 0.05, 60: 5, 91: -1}
    table = parsed({"train.schedule.kind": "steps", "train.schedule.steps": steps}).train.schedule.steps
    assert list(table.items()) == [(0, 0.05), (60, 5.0), (91, -1.0)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("evaluate_every", 0),
        ("dropout", 0),
        ("center_factor", 0),
        ("hue", 0.5),
        ("rotation", 180),
    ],
)
def test_values_at_the_limits_are_accepted(key: str, value: float) -> None:
    assert getattr(parsed({f"train.{key}": value}).train, key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network", None),
        ("variant", 1),
        ("embedding_size", 0),
        ("image_size", 0),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("loss", "center"),
        ("margin", -0.1),
        ("scale", 0),
        ("prelogits_norm_factor", -1),
        ("prelogits_norm_p", 0),
        ("center_factor", -1),
        ("center_version", "caffe"),
        ("center_rate", 0),
        ("head_share", 1.5),
        ("head_sampled_above", -1),
        ("mining", "easy"),
        ("triplet_reduction", "mean"),
        ("epochs", -1),
        ("epochs", 1.5),
        ("steps_per_epoch", 0),
        ("validate_every", 0),
        ("evaluate_every", -1),
        ("evaluate_distance", "manhattan"),
        ("evaluate_flip", True),
        ("evaluate_subtract_mean", "sometimes"),
        ("batch_size", 0),
        ("batch_size", 1),
        ("balance", 1.1),
        ("optimizer", "lamb"),
        ("momentum", 1),
        ("beta2", 1.0),
        ("epsilon", 0),
        ("schedule.kind", "linear"),
        ("schedule.rate", 0),
        ("schedule.warmup", 1.1),
        ("schedule.half_cycle", 0),
        ("schedule.steps", {"first": 0.1}),
        ("weight_decay", -1),
        ("clip_norm", 0),
        ("gradient_normalisation", "l2"),
        ("accumulate", 0),
        ("ema", 1),
        ("compile", "maybe"),
        ("shift", -1),
        ("rotation", 181),
        ("zoom", 1),
        ("zoom", -0.1),
        ("brightness", 1.1),
        ("contrast", -0.1),
        ("saturation", 2),
        ("hue", 0.6),
        ("standardisation", "none of these"),
    ],
)
def test_values_out_of_range_are_refused(key: str, value: Any) -> None:
    refused(f"train.{key}", value)


def test_each_micro_batch_needs_two_images() -> None:
    assert parsed({"train.batch_size": 8, "train.accumulate": 4}).train.accumulate == 4
    message = refusal({"train.batch_size": 8, "train.accumulate": 5})
    assert "  train: batch_size 8 is too small for accumulate 5" in message
    assert "at least 10" in message


def test_unknown_keys_are_refused() -> None:
    unknown("train")
    unknown("train.schedule")
