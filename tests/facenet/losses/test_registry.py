import pytest
import torch

from facenet.errors import ParamsInvalid
from facenet.loss_table import LOSSES
from facenet.losses import CenterLoss, build
from facenet.losses.arcface import ArcFaceLoss
from facenet.losses.contrastive import ContrastiveLoss
from facenet.losses.triplet import TripletLoss


@pytest.mark.parametrize("name", LOSSES)
def test_equal_seeds_build_equal_losses(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build(name, embedding_size=8, classes=4).state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_arguments_reach_the_losses() -> None:
    triplet = build("triplet", embedding_size=8, classes=0, margin=0.3, mining="batch_hard")
    assert isinstance(triplet, TripletLoss)
    assert (triplet.margin, triplet.mining) == (0.3, "batch_hard")
    prelogits, labels = torch.randn(4, 8), torch.tensor([0, 1, 2, 3])
    values = {}
    for name in ("softmax", "cosface"):
        for factor in (0.0, 0.5):
            torch.manual_seed(0)
            loss = build(
                name, embedding_size=8, classes=4, prelogits_norm_factor=factor, prelogits_norm_p=2.0
            )
            values[factor] = loss(prelogits, labels).value
        expected = 0.5 * (prelogits.abs() + 1e-4).norm(dim=1).mean()
        torch.testing.assert_close(values[0.5] - values[0.0], expected)
    torch.manual_seed(0)
    small = build("cosface", embedding_size=8, classes=4, margin=0.0, scale=1.0)(prelogits, labels)
    torch.manual_seed(0)
    large = build("cosface", embedding_size=8, classes=4, margin=0.5, scale=1.0)(prelogits, labels)
    assert large.value > small.value


def test_names_and_combinations_that_cannot_be() -> None:
    with pytest.raises(ParamsInvalid, match=rf"'sphereface'.*{', '.join(LOSSES)}"):
        build("sphereface", embedding_size=8, classes=4)
    with pytest.raises(ParamsInvalid, match=r"'easy'.*semihard"):
        build("triplet", embedding_size=8, classes=4, mining="easy")
    with pytest.raises(ParamsInvalid, match=r"'caffe'.*wen, dl4j, davidsandberg"):
        build("softmax", embedding_size=8, classes=4, center_factor=0.1, center_version="caffe")
    for name in ("triplet", "contrastive"):
        for key in ("prelogits_norm_factor", "center_factor"):
            with pytest.raises(ParamsInvalid, match=f"{name} loss.*{key} to 0"):
                build(name, embedding_size=8, classes=4, **{key: 0.1})


def test_arguments_of_each_kind_arrive() -> None:
    contrastive = build("contrastive", embedding_size=8, classes=0, margin=2.0, listed=True, normalised=False)
    assert isinstance(contrastive, ContrastiveLoss)
    assert (contrastive.margin, contrastive.listed, contrastive.normalised) == (2.0, True, False)
    triplet = build("triplet", embedding_size=8, classes=0, triplet_reduction="sum", normalised=False)
    assert isinstance(triplet, TripletLoss)
    assert (triplet.reduction, triplet.normalised) == ("sum", False)
    center = build(
        *("arcface",),
        embedding_size=8,
        classes=9,
        margin=0.5,
        center_factor=0.01,
        center_version="davidsandberg",
        center_rate=0.05,
        head_share=0.3,
        head_sampled_above=5,
    )
    assert isinstance(center, CenterLoss)
    assert (center.version, center.factor, center.lr) == ("davidsandberg", 0.01, 0.05)
    assert isinstance(center.head, ArcFaceLoss)
    assert (center.head.margin, center.head.share, center.head.sampled_above) == (0.5, 0.3, 5)
