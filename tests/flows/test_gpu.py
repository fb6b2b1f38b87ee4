"""The concurrency limit for GPUs, on a real Prefect API; no GPU is needed to queue for one."""

from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from flows import gpu
from flows.gpu import gpu_slot, needs_gpu


def test_only_runs_on_an_nvidia_device_need_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "DEVICES", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [needs_gpu(device) for device in ("cpu", "mps", "cuda", "cuda:1", "auto")] == [
        False,
        False,
        True,
        True,
        False,
    ]
    (tmp_path / "nvidia-uvm").touch()  # not a device
    assert not needs_gpu("auto")
    (tmp_path / "nvidia0").touch()
    assert needs_gpu("auto")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not needs_gpu("auto")


def test_without_the_limit_a_run_goes_on(api: str) -> None:
    said: list[str] = []
    checks: list[None] = []
    with gpu_slot(lambda: checks.append(None), said.append):
        assert (len(checks), said) == (1, [])


def test_a_second_run_waits_for_the_slot_says_so_and_can_be_stopped(
    api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "POLL_SECONDS", 0.5)
    monkeypatch.setattr(gpu, "LIMIT", "gpu-of-a-test")
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="gpu-of-a-test", limit=1))
    said: list[str] = []

    def stop_once_it_waits() -> None:
        if said:
            raise KeyError

    with gpu_slot(lambda: None, said.append):
        assert said == []
        with pytest.raises(KeyError), gpu_slot(stop_once_it_waits, said.append):
            pass
    assert len(said) == 1
    assert "Waiting for a GPU: all slots of the concurrency limit 'gpu-of-a-test' are in use." in said
    with gpu_slot(lambda: None, said.append):
        assert len(said) == 1
