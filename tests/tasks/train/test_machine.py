import json
from pathlib import Path

import pytest
import torch

from facenet.devices import cpu_threads
from tasks.train import machine as module
from tasks.train.machine import machine


def test_it_names_what_can_change_the_last_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Fast CPU @ 2 GHz\nprocessor\t: 1\nmodel name\t: Fast CPU\n"
    )
    monkeypatch.setattr(module, "CPUINFO", info)
    with cpu_threads(1):
        found = machine(torch.device("cpu"), "bf16", 2)
    assert found["processor"] == "Fast CPU @ 2 GHz"
    assert (found["device"], found["precision"], found["threads"], found["processes"]) == (
        "cpu",
        "bf16",
        1,
        2,
    )
    assert found["torch"] == torch.__version__.partition("+")[0] or found["torch"] == torch.__version__
    assert found["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert json.loads(json.dumps(found)) == found
    info.unlink()
    assert machine(torch.device("cpu"), "fp32", 1)["processor"]
