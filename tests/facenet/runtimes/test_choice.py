from importlib import util
from pathlib import Path

import pytest
import torch

from facenet.export import EMBEDDER
from facenet.runtimes import choice
from facenet.runtimes.choice import openvino_is_faster

CPU = torch.device("cpu")


def test_openvino_is_for_float32_on_a_cpu(tmp_path: Path) -> None:
    assert openvino_is_faster(tmp_path, CPU, "fp32")
    assert not openvino_is_faster(tmp_path, CPU, "bf16")
    assert not openvino_is_faster(tmp_path, torch.device("cuda"), "fp32")


@pytest.mark.parametrize(("missing", "usable", "usable_if_exported"), [("openvino", 0, 0), ("onnx", 0, 1)])
def test_an_exported_folder_needs_fewer_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, usable: bool, usable_if_exported: bool
) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None if name == missing else util.find_spec(name))
    assert openvino_is_faster(tmp_path, CPU, "fp32") == usable
    (tmp_path / EMBEDDER).touch()
    assert openvino_is_faster(tmp_path, CPU, "fp32") == usable_if_exported
