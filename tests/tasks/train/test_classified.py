from types import SimpleNamespace
from typing import Any

import numpy as np

from tasks.train.classified import classified

PEOPLE = ["Ann", "Bob", "Cid"]
TRUTH, PREDICTED = np.array([0, 0, 0, 1, 2]), np.array([1, 1, 0, 0, 2])


def setup(rows: int) -> Any:
    classify = SimpleNamespace(rows=np.arange(rows), labels=TRUTH, predict=lambda _model: PREDICTED)
    return SimpleNamespace(classify=classify, people=PEOPLE, model=None)


def test_the_report_names_the_confused_people() -> None:
    found = classified(setup(5))
    assert found is not None
    assert (found.people, found.images) == (PEOPLE, 5)
    assert found.names == ["Ann", "Bob"]
    report = found.metrics()["closed_set"]
    assert (report["images"], report["identities"], report["accuracy"]) == (5, 3, 2 / 5)
    assert report["most_confused"] == [
        {"identity": "Ann", "predicted": "Bob", "images": 2},
        {"identity": "Bob", "predicted": "Ann", "images": 1},
    ]


def test_without_validation_images_there_is_no_report() -> None:
    assert classified(setup(0)) is None
    assert classified(SimpleNamespace(classify=None)) is None  # type: ignore[arg-type]
