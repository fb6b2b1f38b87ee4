from itertools import product

import pytest
import torch
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.utils.loss_and_miner_utils import get_all_triplets_indices
from torch import Tensor

from facenet.errors import ParamsInvalid
from facenet.mining import online
from facenet.mining.online import STRATEGIES, active_share, mine, positive_pairs

MARGIN = 0.4


def case(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    count = int(torch.randint(1, 14, (), generator=generator))
    people = int(torch.randint(1, 5, (), generator=generator))
    rows = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    return torch.cdist(rows, rows).square(), torch.randint(people, (count,), generator=generator)


def candidates(strategy: str, distances: Tensor, labels: Tensor, a: int, p: int) -> list[int]:
    """The negatives that a strategy may take for one pair, by a loop."""
    found = []
    for n in range(len(labels)):
        d_ap, d_an = distances[a, p], distances[a, n]
        allowed = {
            "all": True,
            "hardest": True,
            "semihard": d_ap < d_an < d_ap + MARGIN,
            "hard": d_an < d_ap,
            "vgg": d_an < d_ap + MARGIN,
        }[strategy]
        if labels[n] != labels[a] and allowed:
            found.append(n)
    if strategy == "hardest" and found:
        return [min(found, key=lambda n: distances[a, n].item())]
    return found


def as_list(triplets: online.Triplets) -> list[tuple[int, ...]]:
    return [tuple(row) for row in torch.stack(triplets, dim=1).tolist()]


@pytest.mark.parametrize("strategy", ["all", "semihard", "hard", "vgg", "hardest"])
def test_pair_strategies_against_a_loop_in_100_random_cases(strategy: str) -> None:
    for seed in range(100):
        distances, labels = case(seed)
        found = as_list(mine(strategy, distances, labels, margin=MARGIN))
        expected = []
        for a, p in product(range(len(labels)), repeat=2):
            allowed = (
                candidates(strategy, distances, labels, a, p) if a != p and labels[a] == labels[p] else []
            )
            if strategy == "all":
                expected += [(a, p, n) for n in allowed]
            elif allowed:
                drawn = [n for x, y, n in found if (x, y) == (a, p)]
                assert len(drawn) == 1
                assert drawn[0] in allowed
                expected.append((a, p, drawn[0]))
        assert found == expected


def test_batch_hard_against_a_loop_in_100_random_cases() -> None:
    for seed in range(100):
        distances, labels = case(seed)
        expected = []
        for a in range(len(labels)):
            same = [p for p in range(len(labels)) if p != a and labels[p] == labels[a]]
            other = [n for n in range(len(labels)) if labels[n] != labels[a]]
            if same and other:
                farthest = max(same, key=lambda p: distances[a, p].item())
                expected.append((a, farthest, min(other, key=lambda n: distances[a, n].item())))
        assert as_list(mine("batch_hard", distances, labels, margin=MARGIN)) == expected


def test_all_and_batch_hard_equal_pytorch_metric_learning() -> None:
    for seed in range(30):
        rows = torch.nn.functional.normalize(
            torch.randn(20, 4, generator=torch.Generator().manual_seed(seed)), dim=1
        )
        labels = torch.arange(20) % 6
        distances = torch.cdist(rows, rows)
        theirs = torch.stack(get_all_triplets_indices(labels), dim=1).tolist()
        assert as_list(mine("all", distances, labels, margin=MARGIN)) == [tuple(t) for t in theirs]
        theirs = torch.stack(BatchHardMiner()(rows, labels), dim=1).tolist()
        assert as_list(mine("batch_hard", distances, labels, margin=MARGIN)) == [tuple(t) for t in theirs]


def test_draws_are_even_over_the_candidates() -> None:
    distances = torch.zeros(6, 6)
    labels = torch.tensor([0, 0, 1, 2, 3, 4])
    generator = torch.Generator().manual_seed(0)
    counts = dict.fromkeys(range(2, 6), 0)
    for _ in range(2000):
        for negative in mine("vgg", distances, labels, margin=MARGIN, generator=generator).negatives.tolist():
            counts[negative] += 1
    assert all(900 < count < 1100 for count in counts.values())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_equal_generators_give_equal_triplets(strategy: str) -> None:
    generator = torch.Generator()
    distances, labels = torch.rand(30, 30, generator=generator.manual_seed(1)), torch.arange(30) % 4
    found = [
        as_list(mine(strategy, distances, labels, margin=MARGIN, generator=generator.manual_seed(seed)))
        for seed in (7, 7, 8)
    ]
    assert found[0] == found[1]
    assert (found[0] == found[2]) == (strategy in ("all", "hardest", "batch_hard"))


def test_active_share_against_a_loop_in_100_random_cases() -> None:
    for seed in range(100):
        distances, labels = case(seed)
        active = total = 0
        for a, p, n in product(range(len(labels)), repeat=3):
            if a != p and labels[a] == labels[p] != labels[n]:
                total += 1
                active += bool(distances[a, n] < distances[a, p] + MARGIN)
        assert active_share(distances, labels, margin=MARGIN).item() == pytest.approx(active / max(total, 1))


def test_positive_pairs_are_ordered_and_leave_out_the_row_itself() -> None:
    anchors, positives = positive_pairs(torch.tensor([4, 9, 4, 4]))
    assert list(zip(anchors.tolist(), positives.tolist(), strict=True)) == [
        (0, 2), (0, 3), (2, 0), (2, 3), (3, 0), (3, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_batches_without_a_triplet(strategy: str, labels: list[int]) -> None:
    distances = torch.zeros(len(labels), len(labels))
    triplets = mine(strategy, distances, torch.tensor(labels, dtype=torch.int64), margin=MARGIN)
    assert [part.shape for part in triplets] == [(0,)] * 3
    assert {part.dtype for part in triplets} == {torch.int64}


def test_an_unknown_strategy_lists_all_strategies() -> None:
    with pytest.raises(ParamsInvalid, match=r"'easy'.*all, semihard, hard, vgg, hardest, batch_hard"):
        mine("easy", torch.zeros(2, 2), torch.zeros(2), margin=MARGIN)
