import pytest
import torch

from facenet.errors import ParamsInvalid
from facenet.losses import build
from facenet.losses.classes import check_classes


@pytest.mark.parametrize("classes", [0, 1])
def test_one_person_cannot_be_classified(classes: int) -> None:
    with pytest.raises(ParamsInvalid, match=f"there are {classes}"):
        check_classes(classes)
    for name in ("softmax", "softmax_squared", "cosface", "arcface"):
        with pytest.raises(ParamsInvalid, match="two people"):
            build(name, embedding_size=8, classes=classes)


def test_two_people_can() -> None:
    check_classes(2)
    head = build("softmax", embedding_size=8, classes=2)
    assert torch.isfinite(head(torch.ones(2, 8), torch.tensor([0, 1])).value)
