"""An update against the same update written out, and its options against what they promise."""

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facenet.errors import TrainingDiverged
from facenet.training import (
    OPTIMIZERS,
    Division,
    OptimizerSettings,
    UpdateOptions,
    build_optimizer,
    freeze_to,
)
from facenet.training.health import Moment
from facenet.training.update import Update
from tests.facenet.training.tiny import TinyLoss, TinyNetwork

MOMENT = Moment(step=1, lr=0.1, precision="fp32")
FACES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8))
LABELS = torch.tensor([0, 1, 2, 3, 4, 5])


class PlainNetwork(nn.Module):
    """Without batch norm and dropout an image does not depend on the others in its piece."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(3, 8, 3, stride=2), nn.Linear(8, 4)

    def forward(self, images: Tensor) -> Tensor:
        prelogits: Tensor = self.linear(torch.relu(self.conv(images)).mean(dim=(2, 3)))
        return prelogits


def make_update(network: nn.Module | None = None, *, accumulate: int = 1, **options: Any) -> Update:
    torch.manual_seed(1)
    network, loss = network or PlainNetwork(), TinyLoss()
    return Update(
        network=network,
        loss=loss,
        optimizer=torch.optim.SGD([*network.parameters(), *loss.parameters()], lr=0.1),
        division=Division(accumulate=accumulate),
        device=torch.device("cpu"),
        precision="fp32",
        seed=3,
        options=UpdateOptions(**options),
    )


def parameters(update: Update) -> list[Tensor]:
    return [p.detach().clone() for module in (update.network, update.loss) for p in module.parameters()]


def test_it_is_a_step_of_the_mean_loss() -> None:
    update = make_update()
    network, loss = copy.deepcopy(update.network), copy.deepcopy(update.loss)
    value, metrics = update(FACES, LABELS, MOMENT)
    expected = loss(network((FACES.permute(0, 3, 1, 2).float() - 127.5) / 128), LABELS).value
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=1e-6)
    moved = [p - 0.1 * p.grad for module in (network, loss) for p in module.parameters()]
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(parameters(update), moved, strict=True))
    squares = sum(float(p.grad.square().sum()) for module in (network, loss) for p in module.parameters())
    assert metrics["gradient_norm"] == pytest.approx(squares**0.5, rel=1e-5)
    assert set(metrics) == {"accuracy", "gradient_norm"}


@pytest.mark.parametrize("accumulate", [2, 3, 4, 100])
@pytest.mark.parametrize("total", [6, 5])
def test_pieces_are_worth_the_whole_batch(accumulate: int, total: int) -> None:
    """Also when they differ in size, 2 and 3 of 5."""
    whole, pieces = make_update(), make_update(accumulate=accumulate)
    for step in (1, 2, 3):
        moment = Moment(step=step, lr=0.1, precision="fp32")
        one, other = (update(FACES[:total], LABELS[:total], moment) for update in (whole, pieces))
        assert other[0] == pytest.approx(one[0], rel=1e-5)
        assert other[1] == pytest.approx(one[1], rel=1e-4)
    for a, b in zip(parameters(whole), parameters(pieces), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_long_gradient_is_clipped_and_a_short_one_is_not() -> None:
    free, long, short = make_update(), make_update(clip_norm=0.01), make_update(clip_norm=1e3)
    before = parameters(free)
    norms = [update(FACES, LABELS, MOMENT)[1]["gradient_norm"] for update in (free, long, short)]
    assert norms == [norms[0]] * 3, "the reported norm is that before clipping"
    scale = 0.01 / norms[0]
    for start, full, clipped, same in zip(before, *map(parameters, (free, long, short)), strict=True):
        assert torch.allclose(start + scale * (full - start), clipped, atol=1e-7)
        assert torch.equal(full, same)
    moved = sum(float((a - b).square().sum()) for a, b in zip(parameters(long), before, strict=True))
    assert moved**0.5 == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_gradients_are_normalised_before_they_are_clipped() -> None:
    """A step of plain SGD shows them: each layer moves by lr, and by less with a clip over all layers."""
    moved = {}
    for clip in (None, 0.5):
        update = make_update(gradient_normalisation="l2_per_layer", clip_norm=clip)
        before = parameters(update)
        _, metrics = update(FACES, LABELS, MOMENT)
        plain = make_update()
        assert metrics["gradient_norm"] == plain(FACES, LABELS, MOMENT)[1]["gradient_norm"]
        steps = [(a - b).square().sum() for a, b in zip(before, parameters(update), strict=True)]
        moved[clip] = [float(sum(steps[i : i + 2]).sqrt()) for i in (0, 2, 4)]  # type: ignore[union-attr]  # tensors
    assert moved[None] == pytest.approx([0.1] * 3, rel=1e-4)
    assert moved[0.5] == pytest.approx([0.1 * 0.5 / 3**0.5] * 3, rel=1e-4)


def check_layout(update: Update) -> None:
    """Check that state has the strides of its parameter, for a convolution those of channels_last."""
    shaped = [
        (parameter, value)
        for parameter, state in update.optimizer.state.items()
        for value in state.values()
        if isinstance(value, Tensor) and value.ndim and value.shape == parameter.shape
    ]
    assert all(value.stride() == parameter.stride() for parameter, value in shaped)
    assert all(value.device == parameter.device for parameter, value in shaped)
    kernels = [value for parameter, value in shaped if parameter.ndim == 4]
    assert all(not kernel.is_contiguous() for kernel in kernels)
    if update.optimizer.state:
        assert kernels


def update_with(name: str, device: str) -> Update:
    network, loss = PlainNetwork(), TinyLoss()
    return Update(
        network=network,
        loss=loss,
        optimizer=build_optimizer(name, [network, loss], OptimizerSettings(lr=0.01)),
        division=Division(),
        device=torch.device(device),
        precision="fp32",
        seed=3,
    )


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_of_an_optimiser_has_the_layout_of_its_parameters(name: str, device: str) -> None:
    """Fused kernels on CUDA refuse any other; Adagrad has state before the network is channels_last."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device: run `make test-gpu` on a machine with an NVIDIA GPU")
    update = update_with(name, device)
    check_layout(update)
    update(FACES, LABELS, MOMENT)
    assert update.optimizer.state
    check_layout(update)
    state = copy.deepcopy(update.state())
    for values in state["optimizer"]["state"].values():  # as a checkpoint from elsewhere may have them
        values.update({k: v.contiguous().cpu() for k, v in values.items() if isinstance(v, Tensor)})
    resumed = update_with(name, device)
    resumed.restore(state)
    check_layout(resumed)
    losses = [each(FACES, LABELS, dataclasses.replace(MOMENT, step=2))[0] for each in (update, resumed)]
    assert losses[0] == losses[1]
    for one, other in zip(parameters(update), parameters(resumed), strict=True):
        assert torch.equal(one, other)


def test_the_model_is_the_average_if_there_is_one() -> None:
    update = make_update(ema=0.999)
    first = copy.deepcopy(update.network.state_dict())
    update(FACES, LABELS, MOMENT)
    for name, tensor in update.model.state_dict().items():
        expected = 0.1 * first[name] + 0.9 * update.network.state_dict()[name]
        assert torch.allclose(tensor, expected, atol=1e-7)
    assert not torch.equal(update.model.linear.weight, update.network.linear.weight)
    plain = make_update()
    assert plain.model is plain.network


def test_frozen_layers_keep_weights_and_statistics_and_drop_nothing() -> None:
    network = TinyNetwork(dropout=0.5)
    frozen = freeze_to(network, "dropout")
    update = make_update(network, frozen=frozen)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    update.train()
    first, _ = update(FACES, LABELS, MOMENT)
    after = network.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"linear"}
    assert network.linear.training
    again = make_update(copy.deepcopy(network), frozen=())
    again.network.load_state_dict(before)
    again.network.eval()
    images = (FACES.permute(0, 3, 1, 2).float() - 127.5) / 128
    with torch.no_grad():
        assert again.loss(again.network(images), LABELS).value.item() == pytest.approx(first, rel=1e-5)


def test_faces_are_standardised_as_configured() -> None:
    fixed, each = make_update(), make_update(standardisation="per_image")
    dark = FACES // 4
    images = dark.permute(0, 3, 1, 2).float()
    centred = images - images.mean(dim=(1, 2, 3), keepdim=True)
    expected = centred / centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    with torch.no_grad():
        value = each.loss(each.network(expected), LABELS).value.item()
    assert each(dark, LABELS, MOMENT)[0] == pytest.approx(value, rel=1e-5)
    assert fixed(dark, LABELS, MOMENT)[0] != pytest.approx(value, rel=1e-3)


def test_dropout_depends_on_seed_and_step_alone() -> None:
    losses = []
    for step in (1, 1, 2):
        update = make_update(TinyNetwork(dropout=0.5))
        torch.manual_seed(step + len(losses))  # whatever else was drawn before
        losses.append(update(FACES, LABELS, Moment(step=step, lr=0.1, precision="fp32"))[0])
    assert losses[0] != losses[2]
    torch.manual_seed(0)
    one, other = make_update(TinyNetwork(0.5)), make_update(TinyNetwork(0.5))
    torch.rand(3)
    other.network.load_state_dict(one.network.state_dict())
    other.loss.load_state_dict(one.loss.state_dict())
    assert one(FACES, LABELS, MOMENT) == other(FACES, LABELS, MOMENT)


def test_state_comes_back() -> None:
    update = make_update(ema=0.9, accumulate=2)
    update(FACES, LABELS, MOMENT)
    other = make_update(ema=0.9, accumulate=2)
    other.restore(copy.deepcopy(update.state()))
    second = Moment(step=2, lr=0.1, precision="fp32")
    assert update(FACES, LABELS, second) == other(FACES, LABELS, second)
    for a, b in zip(update.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_has_every_weight_once() -> None:
    names = set(make_update().state()["objective"])
    assert names == {f"network.{n}" for n in PlainNetwork().state_dict()} | {
        "loss.head.weight",
        "loss.head.bias",
    }


def test_a_loss_that_is_not_finite_leaves_the_weights() -> None:
    update = make_update()
    with torch.no_grad():
        update.loss.head.bias[0] = torch.inf
    before = parameters(update)
    with pytest.raises(TrainingDiverged, match="loss is"):
        update(FACES, LABELS, MOMENT)
    assert all(torch.equal(a, b) for a, b in zip(before, parameters(update), strict=True))


@pytest.mark.slow
def test_a_compiled_network_computes_the_same_and_keeps_its_names(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plain, compiled = make_update(), make_update(compiled=True)
    names = {f"network.{name}" for name in plain.network.state_dict()} | {
        "loss.head.weight",
        "loss.head.bias",
    }
    assert compiled(FACES, LABELS, MOMENT)[0] == pytest.approx(plain(FACES, LABELS, MOMENT)[0], rel=1e-5)
    assert plain.state()["objective"].keys() == compiled.state()["objective"].keys() == names
    for a, b in zip(parameters(plain), parameters(compiled), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
