import logging
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from facenet.errors import WeightsInvalid
from facenet.networks import HEADS, load_state


class Small(nn.Module):
    def __init__(self, embedding_size: int = 4) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.conv = nn.Conv2d(3, 2, 1)
        self.bn = nn.BatchNorm2d(2)
        self.last_linear = nn.Linear(2, embedding_size, bias=False)


@pytest.fixture
def network() -> Small:
    torch.manual_seed(0)
    return Small()


@pytest.fixture
def state() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return Small().state_dict()


def assert_holds(network: nn.Module, state: dict[str, Tensor]) -> None:
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_safetensors_and_torch_files_load(network: Small, state: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(state, tmp_path / "w.safetensors")
    load_state(network, tmp_path / "w.safetensors")
    assert_holds(network, state)
    for content in (state, {"state_dict": state, "epoch": 3}, {"model": state}):
        fresh = Small()
        torch.save(content, tmp_path / "w.pt")
        load_state(fresh, tmp_path / "w.pt")
        assert_holds(fresh, state)


def test_half_precision_and_counters_of_one_element(
    network: Small, state: dict[str, Tensor], tmp_path: Path
) -> None:
    halved = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    halved["bn.num_batches_tracked"] = torch.tensor([7])
    save_file(halved, tmp_path / "w.safetensors")
    load_state(network, tmp_path / "w.safetensors")
    assert network.conv.weight.dtype == torch.float32
    assert torch.equal(network.conv.weight, state["conv.weight"].half().float())
    assert network.bn.num_batches_tracked.item() == 7
    assert network.bn.num_batches_tracked.shape == ()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_removed_and_named(
    network: Small, state: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture, prefix: str
) -> None:
    torch.save({prefix + name: value for name, value in state.items()}, tmp_path / "w.pt")
    with caplog.at_level(logging.WARNING):
        load_state(network, tmp_path / "w.pt")
    assert_holds(network, state)
    assert "module." in caplog.text or "_orig_mod." in caplog.text


def test_a_classifier_is_dropped_only_when_asked_for(
    network: Small, state: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(
        {**state, "logits.weight": torch.zeros(9, 4), "logits.bias": torch.zeros(9)}, tmp_path / "w.pt"
    )
    with pytest.raises(WeightsInvalid) as error:
        load_state(network, tmp_path / "w.pt")
    assert "2 unexpected:\n    logits.weight\n    logits.bias" in str(error.value)
    assert "drop=('logits.',)" in str(error.value)
    load_state(network, tmp_path / "w.pt", drop=HEADS)
    assert_holds(network, state)


def test_mismatches_are_listed_and_nothing_is_changed(
    network: Small, state: dict[str, Tensor], tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state["last_linear.weight"] = torch.zeros(8, 2)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsInvalid) as error:
        load_state(network, tmp_path / "w.safetensors")
    message = str(error.value)
    assert "w.safetensors does not match Small with embedding_size 4:" in message
    assert "1 with a different shape:\n    last_linear.weight is (8, 2), the network has (4, 2)" in message
    assert message.endswith("Set train.embedding_size to 8.")
    assert_holds(network, before)


def test_long_lists_are_cut_with_their_counts(network: Small, tmp_path: Path) -> None:
    torch.save({f"other.{n}": torch.zeros(1) for n in range(12)}, tmp_path / "w.pt")
    with pytest.raises(WeightsInvalid) as error:
        load_state(network, tmp_path / "w.pt")
    message = str(error.value)
    assert "8 missing:" in message
    assert "... and 3 more" in message
    assert "12 unexpected:" in message
    assert "... and 7 more" in message
    assert "train.network" in message


def test_values_that_are_not_finite_are_refused(
    network: Small, state: dict[str, Tensor], tmp_path: Path
) -> None:
    state["conv.weight"][0] = torch.nan
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(WeightsInvalid, match=r"not finite:\n.*1 with NaN or infinity:\n +conv.weight"):
        load_state(network, tmp_path / "w.pt")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("ran",)


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "truncated", "code", "object", "mixed", "list"])
def test_files_that_hold_no_state_dict_are_refused_by_name(
    network: Small, state: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / f"{kind}.pt"
    if kind in ("empty", "text"):
        path.write_text("no weights" if kind == "text" else "")
    elif kind == "truncated":
        path = path.with_suffix(".safetensors")
        save_file(state, path)
        path.write_bytes(path.read_bytes()[:-8])
    elif kind == "code":
        path.write_bytes(pickle.dumps(Evil(), protocol=2))
    elif kind != "missing":
        torch.save({"object": Evil(), "mixed": {**state, "epoch": 3}, "list": [1, 2]}[kind], path)
    with pytest.raises(WeightsInvalid, match=path.name):
        load_state(network, path)
    assert capsys.readouterr().out == ""
