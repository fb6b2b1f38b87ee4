"""What is said about weights that differ; faults/scenarios/reproduce_champion.py trains for real."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from facenet.errors import SourceInvalid
from flows.reproduce import differences, distance, reproduce


def test_only_what_differs_is_named() -> None:
    old = {"torch": "2.13.0", "threads": 4, "processor": "A"}
    assert differences(old, old) == []
    assert differences(old, {**old, "threads": 2}) == ["threads 2 instead of 4"]
    assert differences({}, {"threads": 2}) == ["threads 2 instead of not recorded"]


def test_the_largest_difference_is_found_in_its_layer(tmp_path: Path) -> None:
    old, new, other = (tmp_path / f"{name}.safetensors" for name in ("old", "new", "other"))
    layers = {"a.weight": torch.ones(2, 3), "b.weight": torch.zeros(4)}
    save_file(layers, old)
    save_file({**layers, "b.weight": torch.tensor([0.0, -0.25, 0.0, 0.125])}, new)
    save_file({"a.weight": torch.ones(3, 3)}, other)
    assert distance(old, new) == "The largest difference of a weight is 0.25, in b.weight."
    assert distance(old, other) == "The networks have different layers."


def test_an_unknown_version_is_refused(mlflow_store: Path) -> None:
    with pytest.raises(SourceInvalid, match="The registry has no models:/facenet@champion"):
        reproduce("models:/facenet@champion", print)
