import pytest
import torch

from facenet.losses.sampling import sample_classes


def test_the_people_of_the_batch_are_always_there_in_100_random_cases() -> None:
    for seed in range(100):
        generator = torch.Generator().manual_seed(seed)
        classes = int(torch.randint(2, 40, (), generator=generator))
        labels = torch.randint(
            classes, (int(torch.randint(1, 12, (), generator=generator)),), generator=generator
        )
        share = [0.0, 0.1, 0.5, 1.0][seed % 4]
        people, places = sample_classes(labels, classes, share=share, generator=generator)
        present = set(labels.tolist())
        others = classes - len(present)
        assert present <= set(people.tolist())
        assert people.tolist() == sorted(set(people.tolist()))
        assert len(people) == len(present) + (min(others, max(1, round(share * others))))
        assert torch.equal(people[places], labels)
        assert people.dtype == places.dtype == torch.int64


def test_the_others_are_drawn_evenly_and_from_the_generator() -> None:
    labels, generator = torch.tensor([3, 3, 7]), torch.Generator().manual_seed(0)
    counts = torch.zeros(10)
    for _ in range(2000):
        people, _ = sample_classes(labels, 10, share=0.25, generator=generator)
        counts[people] += 1
    assert counts[[3, 7]].tolist() == [2000, 2000]
    others = counts[[0, 1, 2, 4, 5, 6, 8, 9]]
    assert ((others > 420) & (others < 580)).all()  # 500 each
    drawn = [
        sample_classes(labels, 500, share=0.1, generator=generator.manual_seed(seed))[0] for seed in (1, 1, 2)
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_the_global_generator_is_the_default() -> None:
    drawn = []
    for seed in (4, 4):
        torch.manual_seed(seed)
        drawn.append(sample_classes(torch.tensor([1]), 100, share=0.2)[0])
    assert torch.equal(*drawn)


@pytest.mark.parametrize("classes", [1, 2])
def test_nobody_else_is_left(classes: int) -> None:
    people, places = sample_classes(torch.arange(classes), classes, share=0.5)
    assert people.tolist() == places.tolist() == list(range(classes))
