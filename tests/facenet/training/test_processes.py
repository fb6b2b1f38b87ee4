"""Two real processes against one: same batches, same losses, same weights, same validation."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from facenet.errors import ParamsInvalid
from facenet.training.processes import Processes, join
from tests.facenet.training import together

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of one process and of two; the two are started as users start them."""
    folder = tmp_path_factory.mktemp("together")
    root = Path(__file__).parents[3]
    script = ["-m", "tests.facenet.training.together", str(folder / "two.json"), str(folder / "two")]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    port = ["--main_process_port", "0"]  # any that is free
    done = subprocess.run(
        [*launch, *port, *script], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return together.run(folder / "one", Processes()), json.loads((folder / "two.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", together.CASES)
def test_two_processes_train_as_one(seen: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    one, two = seen[0][name], seen[1][name]
    assert seen[1]["count"] == 2
    assert len(one["losses"]) == together.STEPS
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-4, abs=1e-6)
    assert two["norms"] == pytest.approx(one["norms"], rel=1e-3, abs=1e-6)
    assert two["state"].keys() == one["state"].keys()
    for key, values in one["state"].items():
        assert two["state"][key] == pytest.approx(values, rel=1e-3, abs=1e-4), key
    assert two["training"] == one["training"], "the same layers are in training mode"
    assert two["images"] == one["images"]
    assert two["agreed"], "all processes have the same triplets"
    assert two["triplets"] == one["triplets"]
    assert two["own"] < one["own"] == one["images"][0], "each process reads only its part of a batch"
    assert two["validation"] == pytest.approx(one["validation"], rel=1e-4)
    assert one["losses"][-1] != pytest.approx(one["losses"][0], rel=1e-3), "something must have been learned"


@pytest.mark.slow
def test_two_processes_evaluate_as_one(seen: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, two = seen[0]["evaluations"], seen[1]["evaluations"]
    for flip in ("none", "concatenate", "add"):
        assert two[flip]["agreed"], "all processes have the same metrics"
        assert two[flip] == one[flip]
    assert len({metrics["auc"] for metrics in one.values()}) == 3


def test_parts_cover_everything_once() -> None:
    for count in (1, 2, 3, 5):
        numbers = list(range(20))
        parts = [numbers[Processes(rank, count).part(4, 17)] for rank in range(count)]
        assert [number for part in parts for number in part] == numbers[4:17]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_alone_nothing_is_exchanged() -> None:
    alone, values = Processes(), torch.ones(3, 2)
    assert alone.main
    assert alone.assemble(values, slice(0, 3), 3) is values
    assert alone.sum(values) is values
    assert alone.any(True, False) == (True, False)
    with alone.main_first():
        pass
    alone.leave()


def test_started_alone_it_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "RANK", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert join(CPU) == (Processes(0, 1), CPU)


def test_a_launcher_that_started_one_of_two_processes_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.raises(ParamsInvalid, match="--multi_gpu --num_processes N"):
        join(CPU)
