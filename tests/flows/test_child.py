"""Modules run as child processes of a flow."""

from typing import Any

import pytest
from prefect import flow

from flows.child import ChildFailed, run_module


def refuse() -> None:
    raise KeyError


def test_a_module_runs_fails_with_its_last_lines_and_can_be_stopped(api: str) -> None:
    seen: list[Any] = []

    @flow
    def calls() -> None:
        run_module("calendar", ["2026", "1"], check=lambda: None)
        with pytest.raises(ChildFailed, match=r"No module named tasks\.nothing"):
            run_module("tasks.nothing", [], check=lambda: None)
        with pytest.raises(KeyError):
            run_module("http.server", ["0"], check=refuse)
        seen.append("all three")

    calls()
    assert seen == ["all three"]
