from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from facenet.atomic import TEMPORARY
from facenet.errors import WeightsInvalid
from facenet.training.checkpoint import Checkpoints


def test_state_comes_back(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    assert checkpoints.load() is None
    state = {"weights": torch.arange(3.0), "step": 7, "loss": 0.1 + 0.2, "history": [{"epoch": 1}]}
    checkpoints.save(state)
    loaded = checkpoints.load()
    assert loaded is not None
    assert torch.equal(loaded["weights"], state["weights"])
    assert {k: v for k, v in loaded.items() if k != "weights"} == {
        k: v for k, v in state.items() if k != "weights"
    }


def test_last_moves_on_and_best_stays(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"step": 1}, best=True)
    checkpoints.save({"step": 2})
    assert torch.load(checkpoints.best)["step"] == 1
    assert torch.load(checkpoints.last)["step"] == 2
    checkpoints.save({"step": 3}, best=True)
    assert torch.load(checkpoints.best)["step"] == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "last.pt"]


def test_leftovers_of_a_killed_save_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}123-last.pt").write_bytes(b"half")
    Checkpoints(tmp_path).save({"step": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_damaged_file_is_told_with_the_cure(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"weights": torch.zeros(1000)})
    checkpoints.last.write_bytes(checkpoints.last.read_bytes()[:500])
    with pytest.raises(WeightsInvalid, match="start over"):
        checkpoints.load()


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    torch.save({"path": Path("x")}, checkpoints.last)  # any class but tensors and plain values
    with pytest.raises(WeightsInvalid):
        checkpoints.load()


def test_a_batch_is_kept_beside_the_checkpoints(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    faces = torch.arange(24, dtype=torch.uint8).reshape(2, 2, 2, 3).flip(2)
    checkpoints.save_batch(faces, torch.tensor([3, 1]), step=7)
    kept = load_file(checkpoints.batch)
    assert torch.equal(kept["faces"], faces)
    assert (kept["labels"].tolist(), kept["step"].item()) == ([3, 1], 7)


def test_remove_leaves_nothing_and_may_be_repeated(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.save({"step": 1}, best=True)
    checkpoints.save_batch(torch.zeros(1, 2, 2, 3, dtype=torch.uint8), torch.zeros(1).long(), step=1)
    checkpoints.remove()
    checkpoints.remove()
    assert not checkpoints.folder.exists()
