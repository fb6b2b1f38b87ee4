from itertools import product

import pytest
import torch
from torch import Tensor

from facenet.errors import ParamsInvalid
from facenet.losses.triplet import TripletLoss
from facenet.mining.online import STRATEGIES, mine


def distance(left: Tensor, right: Tensor) -> Tensor:
    return (left / left.norm() - right / right.norm()).square().sum()


def naive(prelogits: Tensor, triplets: list[tuple[int, int, int]], margin: float, average: str) -> Tensor:
    """The mean over the triplets in float64, one by one."""
    rows, terms = prelogits.double(), []
    for a, p, n in triplets:
        term = distance(rows[a], rows[p]) - distance(rows[a], rows[n]) + margin
        if average != "active" or term > 0:
            terms.append(term.clamp_min(0))
    if not terms:
        return (rows * 0).sum()
    return torch.stack(terms).sum() if average == "sum" else torch.stack(terms).mean()


def case(seed: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(seed)
    count, people = int(torch.randint(2, 12, ())), int(torch.randint(1, 5, ()))
    return torch.randn(count, 4).bfloat16().float(), torch.randint(people, (count,))


@pytest.mark.parametrize("reduction", ["active", "all", "sum"])
@pytest.mark.parametrize("autocast", [False, True])
def test_value_and_gradient_against_a_loop_in_100_random_cases(autocast: bool, reduction: str) -> None:
    empty = 0
    for seed in range(100):
        prelogits, labels = case(seed)
        prelogits.requires_grad_()
        strategy = STRATEGIES[seed % len(STRATEGIES)]
        margin = [0.2, 1.0][seed % 2]
        loss = TripletLoss(margin=margin, mining=strategy, reduction=reduction)
        torch.manual_seed(seed)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            output = loss(prelogits.bfloat16() if autocast else prelogits, labels)
        torch.manual_seed(seed)
        rows = prelogits.detach()
        matrix = torch.stack([torch.stack([distance(a, b) for b in rows]) for a in rows])
        triplets = [tuple(t) for t in torch.stack(mine(strategy, matrix, labels, margin=margin), 1).tolist()]
        empty += not triplets
        expected = naive(prelogits, triplets, margin, reduction)
        assert output.metrics["candidates"] == len(triplets)
        assert output.value.item() == pytest.approx(expected.item(), abs=2e-6, rel=1e-5)
        (found,) = torch.autograd.grad(output.value, prelogits)
        (reference,) = torch.autograd.grad(expected, prelogits)
        # Under autocast the prelogits are bfloat16, and so is what comes back to them.
        tolerance = 1e-2 if autocast else 2e-5
        torch.testing.assert_close(found, reference.float(), atol=tolerance, rtol=tolerance)
    assert 5 < empty < 60


def test_raw_distances_against_a_loop() -> None:
    for seed in range(30):
        prelogits, labels = case(seed)
        loss = TripletLoss(margin=0.2, mining="all", reduction="sum", normalised=False)
        rows, total = prelogits.double().requires_grad_(), torch.zeros((), dtype=torch.float64)
        for a, p, n in product(range(len(labels)), repeat=3):
            if a != p and labels[a] == labels[p] != labels[n]:
                near, far = (rows[a] - rows[p]).square().sum(), (rows[a] - rows[n]).square().sum()
                total = total + (near - far + 0.2).clamp_min(0)
        prelogits.requires_grad_()
        value = loss(prelogits, labels).value
        assert value.item() == pytest.approx(total.item(), rel=1e-4, abs=1e-5)
        (found,) = torch.autograd.grad(value, prelogits)
        reference = torch.autograd.grad(total, rows)[0] if total.requires_grad else torch.zeros_like(rows)
        torch.testing.assert_close(found, reference.float(), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("autocast", [False, True])
def test_listed_triplets_against_a_loop_in_100_random_cases(autocast: bool) -> None:
    for seed in range(100):
        torch.manual_seed(seed)
        count, reduction = seed % 6, ["active", "all", "sum"][seed % 3]
        prelogits = torch.randn(3 * count, 4).bfloat16().float().requires_grad_()
        labels = torch.tensor([0, 0, 1]).repeat(count)
        loss = TripletLoss(margin=0.5, listed=True, reduction=reduction)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            output = loss(prelogits.bfloat16() if autocast else prelogits, labels)
        listed = [(k, k + 1, k + 2) for k in range(0, 3 * count, 3)]
        expected = naive(prelogits, listed, 0.5, reduction)
        assert output.value.item() == pytest.approx(expected.item(), abs=2e-6, rel=1e-5)
        (found,) = torch.autograd.grad(output.value, prelogits)
        (reference,) = torch.autograd.grad(expected, prelogits)
        tolerance = 1e-2 if autocast else 2e-5
        torch.testing.assert_close(found, reference.float(), atol=tolerance, rtol=tolerance)
    with pytest.raises(ValueError, match="multiple of three rows, not 4"):
        TripletLoss(margin=0.5, listed=True)(torch.randn(4, 4), torch.zeros(4, dtype=torch.int64))


def test_the_spread_does_not_depend_on_the_scale() -> None:
    prelogits, labels = torch.randn(12, 4), torch.arange(12) // 3
    raw = TripletLoss(margin=0.2, normalised=False)
    near = raw(prelogits, labels).metrics["spread"]
    expected = (prelogits - prelogits.mean(dim=0)).square().sum(dim=1).mean()
    expected = expected / prelogits.square().sum(dim=1).mean()
    assert float(near) == pytest.approx(float(expected), abs=1e-6)
    assert float(raw(prelogits * 50, labels).metrics["spread"]) == pytest.approx(float(near), abs=1e-5)


def test_an_unknown_reduction_lists_the_known_ones() -> None:
    with pytest.raises(ParamsInvalid, match=r"'mean'.*active, all, sum"):
        TripletLoss(margin=0.2, reduction="mean")


def test_metrics_against_a_loop() -> None:
    for seed in range(40):
        prelogits, labels = case(seed)
        metrics = TripletLoss(margin=0.5, mining="hard")(prelogits, labels).metrics
        unit = prelogits / prelogits.norm(dim=1, keepdim=True)
        same, different, active, total = [], [], 0, 0
        for a, b in product(range(len(labels)), repeat=2):
            if a != b:
                (same if labels[a] == labels[b] else different).append(distance(prelogits[a], prelogits[b]))
        for a, p, n in product(range(len(labels)), repeat=3):
            if a != p and labels[a] == labels[p] != labels[n]:
                total += 1
                active += distance(unit[a], unit[p]) - distance(unit[a], unit[n]) + 0.5 > 0
        spread = sum((row - unit.mean(dim=0)).square().sum() for row in unit) / len(unit)
        expected = {
            "active_share": active / max(total, 1),
            "d_ap": sum(same) / max(len(same), 1),
            "d_an": sum(different) / max(len(different), 1),
            "spread": spread,
        }
        for name, value in expected.items():
            assert float(metrics[name]) == pytest.approx(float(value), abs=1e-5), name


@pytest.mark.parametrize("count", [3, 60])
@pytest.mark.parametrize("strategy", ["all", "hardest", "batch_hard", "vgg"])
def test_identical_embeddings_cost_the_margin_and_show_no_spread(strategy: str, count: int) -> None:
    prelogits = torch.randn(16).expand(count, 16)
    labels = torch.arange(count) // 2
    output = TripletLoss(margin=0.2, mining=strategy)(prelogits, labels)
    assert output.value.item() == pytest.approx(0.2, abs=1e-6)
    assert float(output.metrics["spread"]) == pytest.approx(0, abs=1e-6)
    assert float(output.metrics["active_share"]) == 1
    assert float(output.metrics["d_ap"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0]])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_triplet_gives_a_zero_loss_with_a_zero_gradient(strategy: str, labels: list[int]) -> None:
    prelogits = torch.randn(len(labels), 4, requires_grad=True)
    output = TripletLoss(margin=0.2, mining=strategy)(prelogits, torch.tensor(labels))
    output.value.backward()
    assert output.value.item() == 0
    assert prelogits.grad is not None
    assert not prelogits.grad.any()
    assert output.metrics["candidates"] == 0
    assert all(torch.isfinite(torch.as_tensor(metric)) for metric in output.metrics.values())


def test_a_satisfied_batch_costs_nothing() -> None:
    prelogits = torch.tensor([[1.0, 0], [1.0, 0], [-1, 0], [-1, 0]], requires_grad=True)
    output = TripletLoss(margin=0.2, mining="all")(prelogits, torch.tensor([0, 0, 1, 1]))
    output.value.backward()
    assert output.value.item() == 0
    assert output.metrics["candidates"] == 8
    assert float(output.metrics["active_share"]) == 0
    assert float(output.metrics["d_an"]) == pytest.approx(4)
    assert prelogits.grad is not None
    assert not prelogits.grad.any()


def test_the_draws_come_from_the_global_generator() -> None:
    prelogits, labels = torch.randn(40, 3), torch.arange(40) // 4
    values = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        values.append(TripletLoss(margin=1.0, mining="vgg")(prelogits, labels).value.item())
    assert values[0] == values[1] != values[2]
