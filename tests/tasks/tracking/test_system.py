"""Metrics of this machine."""

from collections.abc import Mapping

import pytest

from tasks.tracking import system
from tasks.tracking.system import SystemMetrics
from tests.waiting import wait_for


class Log:
    def __init__(self) -> None:
        self.logged: list[tuple[int, Mapping[str, float]]] = []

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        self.logged.append((step, metrics))

    def seconds(self) -> int:
        return len(self.logged) * 5


def test_the_machine_is_sampled_until_the_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "SECONDS", 0.05)
    log = Log()
    with SystemMetrics(log):
        wait_for(lambda: len(log.logged) > 2)
    count = len(log.logged)
    assert [step for step, _ in log.logged] == [5 * number for number in range(count)]
    for _, metrics in log.logged[1:]:
        assert metrics["system/system_memory_usage_megabytes"] > 0
        assert 0 <= metrics["system/cpu_utilization_percentage"] <= 100
