"""Whether PyTorch was built for the GPU; on a machine without one, a program stands in for its driver."""

from pathlib import Path

import pytest
import torch

from commands.checks.device import check_device, check_torch, nvidia_gpus


def test_this_machine_is_as_pytorch_sees_it() -> None:
    (finding,) = check_torch()
    assert finding.state == "ok", finding
    assert torch.__version__ in finding.message


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_pytorch_cannot_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA H200'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert nvidia_gpus() == ["NVIDIA H200"]
    (finding,) = check_torch()
    assert finding.state == "wrong"
    assert "NVIDIA H200" in finding.message
    assert "setup" in finding.fix or "driver" in finding.fix
    driver.write_text("#!/bin/sh\nexit 9\n")
    assert nvidia_gpus() == []


def test_outside_of_a_project_no_device_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(check_device()) == []
