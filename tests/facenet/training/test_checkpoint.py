"""A checkpoint comes back whole, and a run that was stopped or killed goes on from it bit by bit."""

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from facenet.atomic import TEMPORARY
from facenet.devices import cpu_threads
from facenet.errors import WeightsInvalid
from facenet.training import TrainingInterrupted
from facenet.training.checkpoint import Checkpoints
from tests.facenet.training.tiny import BATCH, LABELS, make_trainer, recipe, same, weights

STEPS = len(LABELS) // BATCH  # of an epoch


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


def test_the_best_one_is_written_before_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run killed between the two repeats the epoch; in the other order it would lose its best."""
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"step": 1}, best=True)
    replace = Path.replace

    def killed_before_last(path: Path, target: Path) -> Path:
        if Path(target).name == "last.pt":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed_before_last)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save({"step": 2}, best=True)
    found = [checkpoints.load(best=best) for best in (False, True)]
    assert [state["step"] for state in found if state] == [1, 2]


def test_leftovers_of_a_killed_save_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}123-last.pt").write_bytes(b"half")
    Checkpoints(tmp_path).save({"step": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_a_damaged_file_is_reported_with_the_remedy(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"weights": torch.zeros(1000)})
    checkpoints.last.write_bytes(checkpoints.last.read_bytes()[:500])
    with pytest.raises(WeightsInvalid, match="start over"):
        checkpoints.load()


def test_loading_a_checkpoint_executes_no_code(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    torch.save({"path": Path("x")}, checkpoints.last)  # any class but tensors and plain values
    with pytest.raises(WeightsInvalid):
        checkpoints.load()


def test_a_batch_is_saved_next_to_the_checkpoints(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    faces = torch.arange(24, dtype=torch.uint8).reshape(2, 2, 2, 3).flip(2)
    checkpoints.save_batch(faces, torch.tensor([3, 1]), step=7)
    kept = load_file(checkpoints.batch)
    assert torch.equal(kept["faces"], faces)
    assert (kept["labels"].tolist(), kept["step"].item()) == ([3, 1], 7)


def test_remove_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.save({"step": 1}, best=True)
    checkpoints.save_batch(torch.zeros(1, 2, 2, 3, dtype=torch.uint8), torch.zeros(1).long(), step=1)
    checkpoints.remove()
    checkpoints.remove()
    assert not checkpoints.folder.exists()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    trainer = make_trainer(tmp_path_factory.mktemp("undisturbed"))
    list(trainer.run())
    return weights(trainer)


def test_two_runs_are_bit_identical(tmp_path: Path, undisturbed: dict[str, Tensor]) -> None:
    trainer = make_trainer(tmp_path)
    list(trainer.run())
    assert same(weights(trainer), undisturbed)


@pytest.mark.parametrize("stop_after", [1, STEPS - 1, STEPS, STEPS + 2, 3 * STEPS])
def test_a_stopped_run_resumes_bit_by_bit(
    tmp_path: Path, undisturbed: dict[str, Tensor], stop_after: int
) -> None:
    stopping = make_trainer(tmp_path)
    stopping.should_stop = lambda: stopping.step == stop_after
    with pytest.raises(TrainingInterrupted):
        list(stopping.run())
    torch.manual_seed(99)  # whatever else the new process drew
    resumed = make_trainer(tmp_path)
    assert resumed.resumed
    assert resumed.step == stop_after
    list(resumed.run())
    assert same(weights(resumed), undisturbed)
    assert [report.epoch for report in resumed.history] == [1, 2, 3, 4]
    assert [report.images for report in resumed.history] == [STEPS * BATCH] * 4


def test_a_checkpoint_knows_its_number_of_threads(tmp_path: Path) -> None:
    stopping = make_trainer(tmp_path)
    stopping.should_stop = lambda: stopping.step == 1
    with cpu_threads(3), pytest.raises(TrainingInterrupted):
        list(stopping.run())
    assert stopping.saved_threads is None
    assert make_trainer(tmp_path).saved_threads == 3


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adam_tf", "rmsprop", "rmsprop_tf", "adagrad"])
def test_every_optimiser_resumes_bit_by_bit(tmp_path: Path, optimizer: str) -> None:
    whole = make_trainer(tmp_path / "whole", optimizer=optimizer)
    list(whole.run())
    stopping = make_trainer(tmp_path / "parts", optimizer=optimizer)
    stopping.should_stop = lambda: stopping.step == STEPS + 1
    with pytest.raises(TrainingInterrupted):
        list(stopping.run())
    resumed = make_trainer(tmp_path / "parts", optimizer=optimizer)
    list(resumed.run())
    assert same(weights(resumed), weights(whole))


def test_history_of_a_resumed_run_is_that_of_the_uninterrupted_one(tmp_path: Path) -> None:
    def numbers(trainer: Any) -> list[Any]:
        return [(r.epoch, r.steps, r.images, r.loss, r.lr, r.metrics) for r in trainer.history]

    whole = make_trainer(tmp_path / "whole")
    list(whole.run())
    stopping = make_trainer(tmp_path / "parts")
    stopping.should_stop = lambda: stopping.step == STEPS + 2
    with pytest.raises(TrainingInterrupted):
        list(stopping.run())
    resumed = make_trainer(tmp_path / "parts")
    list(resumed.run())
    assert numbers(resumed) == numbers(whole)


@pytest.mark.parametrize("name", ["pieces", "mining", "remined", "exemplars"])
def test_clipping_pieces_averages_and_mined_triplets_resume_bit_by_bit(tmp_path: Path, name: str) -> None:
    whole = make_trainer(tmp_path / "whole", **recipe(name))
    list(whole.run())
    for stop_after in (1, STEPS + 1, 2 * STEPS + 1):
        stopping = make_trainer(tmp_path / "parts", **recipe(name))
        stopping.should_stop = lambda trainer=stopping, at=stop_after: trainer.step == at
        with pytest.raises(TrainingInterrupted):
            list(stopping.run())
    resumed = make_trainer(tmp_path / "parts", **recipe(name))
    list(resumed.run())
    assert same(weights(resumed), weights(whole))


def run_child(folder: Path, name: str, *, kill_at: int) -> list[str]:
    """Train in a child process, killed by SIGKILL once it has reported step `kill_at`; return its lines."""
    command = [sys.executable, "-m", "tests.facenet.training.tiny", str(folder), str(kill_at), name]
    root = Path(__file__).parents[3]
    child = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=root, check=False)
    assert child.returncode == -signal.SIGKILL
    return child.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kills"), [("pieces", 1), ("mining", 1), ("remined", 2)])
def test_sigkill_during_a_run_costs_only_time(tmp_path: Path, name: str, kills: int) -> None:
    """The moments are drawn from a seed; the last reported step is not in the checkpoint yet."""
    whole = make_trainer(tmp_path / "whole", **recipe(name))
    lines: list[str] = []
    whole.on_step = lambda report: lines.append(f"{report.step} {report.loss!r}")
    list(whole.run())
    start = 0
    for moment in sorted(random.Random(f"{name} 666").sample(range(2, len(lines)), kills)):
        assert run_child(tmp_path / "killed", name, kill_at=moment) == lines[start:moment]
        start = moment - 1
    resumed = make_trainer(tmp_path / "killed", **recipe(name))
    assert resumed.step == start
    list(resumed.run())
    assert same(weights(resumed), weights(whole))
