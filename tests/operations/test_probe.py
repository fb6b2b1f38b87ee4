"""A probe accepts an embedding and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from operations.errors import ServicesFailed
from operations.http import Unanswered
from operations.probe import probe
from tests.operations.conftest import Answers

GOOD = {"embedding": [0.6, -0.8], "error": None}


def test_the_embedding_is_returned(answering: Callable[[Answers], int]) -> None:
    assert probe(answering({"/invocations": (200, {"predictions": [GOOD]})})) == [0.6, -0.8]


@pytest.mark.parametrize(
    "answer",
    [
        {"predictions": [{"embedding": None, "error": "corrupt: x"}]},
        {"predictions": [{"embedding": [0.6, float("nan")], "error": None}]},
        {"predictions": [{"embedding": [], "error": None}]},
        {"predictions": [GOOD, GOOD]},
        {"predictions": []},
        {"detail": "x"},
        "<html>",
    ],
)
def test_anything_else_is_not_an_embedding(answering: Callable[[Answers], int], answer: Any) -> None:
    with pytest.raises(ServicesFailed, match="not an embedding"):
        probe(answering({"/invocations": (200, answer)}))


def test_an_error_of_the_server_is_passed_on(answering: Callable[[Answers], int]) -> None:
    with pytest.raises(Unanswered, match="HTTP 500"):
        probe(answering({"/invocations": (500, "x")}))
