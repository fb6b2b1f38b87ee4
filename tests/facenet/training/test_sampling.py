from collections import Counter

import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.training.sampling import FixedLengthPlan, ImagePlan

COUNTS = (1, 2, 4, 8, 16, 64)
LABELS = np.repeat(np.arange(len(COUNTS)), COUNTS).astype(np.int64)


def image_plan(labels: np.ndarray = LABELS, *, batch_size: int = 5, balance: float = 0.0) -> ImagePlan:
    return ImagePlan(labels, batch_size=batch_size, balance=balance, seed=7)


def test_without_balance_an_epoch_has_every_image_once() -> None:
    plan = image_plan()
    for epoch in (1, 2, 3):
        batches = plan.batches(epoch)
        assert len(batches) == len(plan) == len(LABELS) // 5
        assert all(len(batch) == 5 for batch in batches)
        drawn = np.concatenate(batches)
        assert len(set(drawn.tolist())) == len(plan) * 5


@pytest.mark.parametrize("balance", [0.25, 0.5, 1.0])
def test_frequencies_of_people_follow_the_exponent(balance: float) -> None:
    plan = image_plan(balance=balance)
    drawn = np.concatenate([np.concatenate(plan.batches(epoch)) for epoch in range(1, 401)])
    seen = np.bincount(LABELS[drawn], minlength=len(COUNTS)) / len(drawn)
    reference = np.array(COUNTS, float) ** (1 - balance)
    assert seen == pytest.approx(reference / reference.sum(), rel=0.05)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_an_image_occurs_as_often_as_expected_to_within_one(balance: float) -> None:
    plan = image_plan(balance=balance)
    weights = np.array(COUNTS, float)[LABELS] ** -balance
    expected = weights / weights.sum() * len(plan) * 5
    for epoch in range(1, 20):
        drawn = Counter(np.concatenate(plan.batches(epoch)).tolist())
        for image, often in enumerate(expected):
            assert np.floor(often - 1e-9) <= drawn[image] <= np.ceil(often + 1e-9)


def test_epochs_differ_and_repeat() -> None:
    plan, again = image_plan(), image_plan()
    assert all(np.array_equal(a, b) for a, b in zip(plan.batches(3), again.batches(3), strict=True))
    assert not np.array_equal(np.concatenate(plan.batches(3)), np.concatenate(plan.batches(4)))


def test_a_set_smaller_than_a_batch_forms_one_batch() -> None:
    plan = image_plan(np.array([0, 0, 1]), batch_size=64)
    assert len(plan) == 1
    assert sorted(plan.batches(1)[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("labels", [[], [0]])
def test_too_few_images_are_rejected(labels: list[int]) -> None:
    with pytest.raises(DataInvalid, match="at least 2 images, and"):
        image_plan(np.array(labels, np.int64))


@pytest.mark.parametrize("steps", [1, 4, 5, 7, 23])
def test_epochs_of_fixed_length_are_one_sequence_of_batches(steps: int) -> None:
    whole = ImagePlan(np.repeat(np.arange(5), 5), batch_size=5, balance=0.3, seed=1)
    plan = FixedLengthPlan(whole, steps)
    assert (len(whole), len(plan)) == (5, steps)
    found = [batch.tolist() for epoch in range(1, 7) for batch in plan.batches(epoch)]
    expected = [batch.tolist() for epoch in range(1, 40) for batch in whole.batches(epoch)]
    assert found == expected[: 6 * steps]
    assert all(len(plan.batches(epoch)) == steps for epoch in (1, 2, 9))
