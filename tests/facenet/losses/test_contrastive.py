from itertools import combinations

import pytest
import torch
from torch import Tensor

from facenet.losses.contrastive import ContrastiveLoss, contrastive, pair_distance


def naive(prelogits: Tensor, labels: Tensor, margin: float, listed: bool, normalised: bool) -> Tensor:
    """The mean over listed pairs in float64; over every two rows, that of the means of both kinds."""
    rows = prelogits.double()
    if normalised:
        rows = rows / rows.norm(dim=1, keepdim=True)
    pairs = combinations(range(len(rows)), 2)
    if listed:
        pairs = iter([(k, k + 1) for k in range(0, len(rows), 2)])
    costs: dict[bool, list[Tensor]] = {True: [], False: []}
    for i, j in pairs:
        distance = (1e-7 + sum((a - b) ** 2 for a, b in zip(rows[i], rows[j], strict=True))) ** 0.5
        same = bool(labels[i] == labels[j])
        costs[same].append(distance**2 if same else (margin - distance).clamp_min(0) ** 2)
    kinds = [costs[True] + costs[False]] if listed else list(costs.values())
    means = [torch.stack(kind).mean() for kind in kinds if kind]
    return torch.stack(means).mean() if means else (rows * 0).sum()


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradient_against_a_loop_in_100_random_cases(autocast: bool, listed: bool) -> None:
    for seed in range(100):
        torch.manual_seed(seed)
        count, people = int(torch.randint(0, 5, ())) * 2 + (not listed), int(torch.randint(1, 5, ()))
        margin, normalised = [2.0, 1.0][seed % 2], seed % 3 > 0
        prelogits = torch.randn(count, 4).bfloat16().float().requires_grad_()
        labels = torch.randint(people, (count,))
        loss = ContrastiveLoss(margin=margin, listed=listed, normalised=normalised)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            output = loss(prelogits.bfloat16() if autocast else prelogits, labels)
        expected = naive(prelogits, labels, margin, listed, normalised)
        assert output.value.item() == pytest.approx(expected.item(), abs=1e-5)
        (found,) = torch.autograd.grad(output.value, prelogits)
        (reference,) = torch.autograd.grad(expected, prelogits)
        # Under autocast the prelogits are bfloat16, and so is what comes back to them.
        tolerance = 2e-2 if autocast else 2e-5
        torch.testing.assert_close(found, reference.float(), atol=tolerance, rtol=tolerance)


def test_equal_embeddings_of_one_person_cost_the_small_constant() -> None:
    prelogits = torch.randn(1, 8).repeat(2, 1).requires_grad_()
    value = ContrastiveLoss(margin=2.0)(prelogits, torch.tensor([5, 5])).value
    value.backward()
    assert value.item() == pytest.approx(1e-7, rel=1e-3)
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


def test_equal_embeddings_of_two_people_cost_the_margin_squared_with_a_finite_gradient() -> None:
    left = torch.ones(3, 4, requires_grad=True)
    distances = pair_distance(left, torch.ones(3, 4))
    cost = contrastive(distances, torch.tensor([False, False, True]), margin=2.0)
    torch.testing.assert_close(cost, torch.tensor([4.0, 4.0, 1e-7]), atol=2e-3, rtol=0)
    cost.sum().backward()
    assert left.grad is not None
    assert torch.isfinite(left.grad).all()


def test_pairs_are_same_by_label_and_not_by_position() -> None:
    distances = torch.tensor([0.5, 0.5, 3.0])
    same = torch.tensor([True, False, False])
    assert contrastive(distances, same, margin=2.0).tolist() == [0.25, 2.25, 0.0]


def test_half_the_margin_separates_pairs_that_cost_less_than_a_quarter_of_its_square() -> None:
    distances = torch.linspace(0, 4, 401)
    same = contrastive(distances, torch.ones(401, dtype=torch.bool), margin=2.0) < 1
    different = contrastive(distances, torch.zeros(401, dtype=torch.bool), margin=2.0) < 1
    assert torch.equal(same, distances < 1)
    assert torch.equal(different, distances > 1)


@pytest.mark.parametrize("labels", [[], [7]])
def test_no_pair_gives_a_zero_loss_with_a_zero_gradient(labels: list[int]) -> None:
    prelogits = torch.randn(len(labels), 4, requires_grad=True)
    output = ContrastiveLoss(margin=2.0)(prelogits, torch.tensor(labels, dtype=torch.int64))
    output.value.backward()
    assert output.value.item() == 0
    assert prelogits.grad is not None
    assert not prelogits.grad.any()
    assert {float(metric) for metric in output.metrics.values()} == {0.0}


def test_metrics() -> None:
    loss = ContrastiveLoss(margin=2.0, listed=True, normalised=False)
    prelogits = torch.tensor([[0.0, 0], [3, 4], [1, 1], [1, 2], [0, 0], [0, 3]])
    metrics = loss(prelogits, torch.tensor([0, 0, 1, 2, 3, 4])).metrics
    assert float(metrics["similarity"]) == pytest.approx(5)
    assert float(metrics["dissimilarity"]) == pytest.approx(2)
    assert metrics["pairs"] == 3


def test_a_listed_batch_with_a_row_left_over_is_refused() -> None:
    with pytest.raises(ValueError, match="even number of rows, not 3"):
        ContrastiveLoss(margin=2.0, listed=True)(torch.randn(3, 4), torch.zeros(3, dtype=torch.int64))
