"""The champion's accuracy on the present pairs, next to the one at its registration."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facenet.errors import SourceInvalid
from tasks.commands.reevaluate import compare, reevaluate
from tasks.params import Params
from tasks.tracking.registry import Version

METRICS = {"accuracy": 0.8, "accuracy_interval": [0.75, 0.85], "pairs_sha256": "p"}


@pytest.mark.parametrize(
    ("tags", "same", "dropped"),
    [
        ({"accuracy": "0.86", "pairs_sha256": "p"}, True, True),
        ({"accuracy": "0.85", "pairs_sha256": "q"}, False, False),
        ({"accuracy": "0.7"}, False, False),
        ({}, False, None),
    ],
)
def test_it_has_dropped_if_it_was_above_the_present_interval(
    tags: dict[str, str], same: bool, dropped: bool | None
) -> None:
    found = compare(METRICS, Version("faces", 1, "", tags, ()))
    assert (found["same_pairs"], found["dropped"]) == (same, dropped)
    assert found["registered"] == ({"accuracy": float(tags["accuracy"])} if tags.get("accuracy") else {})


def test_a_model_that_is_not_registered_is_named(mlflow_store: Path) -> None:
    params: Any = SimpleNamespace(spec=Params)
    with pytest.raises(SourceInvalid, match="The registry has no models:/facenet@champion"):
        reevaluate("models:/facenet@champion", params)
