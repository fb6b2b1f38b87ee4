import pytest
import torch

from facenet.losses import build
from facenet.losses.classification import ClassificationLoss
from facenet.losses.sampling import sample_classes

HEADS = ["softmax", "softmax_squared", "cosface", "arcface"]


def head(name: str, **options: float) -> ClassificationLoss:
    torch.manual_seed(0)
    loss = build(name, embedding_size=6, classes=30, prelogits_norm_factor=0.01, **options)
    assert isinstance(loss, ClassificationLoss)
    return loss


@pytest.mark.parametrize("name", HEADS)
def test_a_sampled_head_equals_a_small_one_of_the_drawn_people_in_100_random_cases(name: str) -> None:
    for seed in range(100):
        sampled = head(name, head_share=0.2, head_sampled_above=10)
        generator = torch.Generator().manual_seed(seed)
        labels = torch.randint(30, (7,), generator=generator)
        prelogits = torch.randn(7, 6, generator=generator)
        torch.manual_seed(seed)
        people, places = sample_classes(labels, 30, share=0.2)
        small = build(name, embedding_size=6, classes=len(people), prelogits_norm_factor=0.01)
        small.load_state_dict({key: value[people] for key, value in sampled.state_dict().items()})
        outputs, gradients = [], []
        for loss, truth in ((sampled, labels), (small, places)):
            rows = prelogits.clone().requires_grad_()
            torch.manual_seed(seed)
            outputs.append(loss(rows, truth))
            outputs[-1].value.backward()
            assert rows.grad is not None
            gradients.append([rows.grad, *(p.grad for p in loss.parameters())])
        torch.testing.assert_close(outputs[0].value, outputs[1].value)
        torch.testing.assert_close(gradients[0][0], gradients[1][0])
        absent = torch.ones(30, dtype=torch.bool)
        absent[people] = False
        for dense, part in zip(gradients[0][1:], gradients[1][1:], strict=True):
            assert dense is not None
            torch.testing.assert_close(dense[people], part)
            assert not dense[absent].any()


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_sampled_in_training_and_above_its_size_only(name: str) -> None:
    prelogits, labels = torch.randn(5, 6), torch.tensor([0, 4, 4, 8, 29])
    whole = head(name)(prelogits, labels).value
    assert torch.equal(head(name, head_share=0.1, head_sampled_above=30)(prelogits, labels).value, whole)
    sampled = head(name, head_share=0.1, head_sampled_above=29)
    assert not torch.equal(sampled(prelogits, labels).value, whole)
    assert torch.equal(sampled.eval()(prelogits, labels).value, whole)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("labels", [[3], [3, 3, 3]])
def test_one_image_and_one_person_in_a_batch(name: str, labels: list[int]) -> None:
    prelogits = torch.randn(len(labels), 6, requires_grad=True)
    output = head(name, head_share=0.1)(prelogits, torch.tensor(labels))
    output.value.backward()
    assert torch.isfinite(output.value)
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()
    assert prelogits.grad.any()
