"""Device and precision depend on what the machine has."""

import pytest
import torch

from facenet import devices
from facenet.devices import autocast, cpu_threads, resolve_device, resolve_precision
from facenet.errors import ParamsInvalid

CPU = torch.device("cpu")


def test_the_cpu_is_always_available() -> None:
    assert resolve_device("cpu") == CPU


def test_auto_selects_the_best_available_device(monkeypatch: pytest.MonkeyPatch) -> None:
    for cuda, mps, expected in [(False, False, "cpu"), (False, True, "mps"), (True, True, "cuda")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda answer=cuda: answer)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda answer=mps: answer)
        assert resolve_device("auto").type == expected


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "tpu", "cpu:x", "cpu:1", "", "cuda:-1", "meta"])
def test_a_missing_device_is_an_error_that_names_the_alternatives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ParamsInvalid, match=rf"device '{name}' \(base\.device, --device\).*auto or cpu"):
        resolve_device(name)


def test_a_gpu_is_available_up_to_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [str(resolve_device(name)) for name in ("cuda", "cuda:0", "cuda:1")] == [
        "cuda",
        "cuda:0",
        "cuda:1",
    ]
    with pytest.raises(ParamsInvalid, match="'cuda:2'"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16"])
def test_an_explicit_precision_is_used(name: str) -> None:
    assert resolve_precision(name, CPU) == name


def test_auto_is_bf16_only_with_hardware_support(monkeypatch: pytest.MonkeyPatch) -> None:
    for native, expected in [(True, "bf16"), (False, "fp32")]:
        monkeypatch.setattr(devices, "_cpu_multiplies_bf16", lambda answer=native: answer)
        assert resolve_precision("auto", CPU) == expected
    assert resolve_precision("auto", torch.device("mps")) == "fp32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert resolve_precision("auto", torch.device("cuda")) == "bf16"


def test_this_processor_is_recognised() -> None:
    assert devices._cpu_multiplies_bf16() in (True, False)
    assert resolve_precision("auto", CPU) == ("bf16" if devices._cpu_multiplies_bf16() else "fp32")


@pytest.mark.parametrize(("precision", "expected"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast_computes_in_the_precision(precision: str, expected: torch.dtype) -> None:
    with autocast(CPU, precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


def test_the_number_of_threads_is_restored_even_after_an_error() -> None:
    before = torch.get_num_threads()
    with cpu_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    with pytest.raises(KeyError), cpu_threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before
