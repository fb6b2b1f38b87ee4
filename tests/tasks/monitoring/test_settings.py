"""Settings out of range."""

from typing import Any

import pytest

from facenet.errors import ParamsInvalid
from tasks.monitoring.settings import MonitoringSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", 0.0), ("rate", 0.6), ("least_rows", 9), ("history", 0), ("no_match", -0.1), ("no_match", 1.5)],
)
def test_what_is_out_of_range(name: str, value: float) -> None:
    fields: dict[str, Any] = {name: value}
    with pytest.raises(ParamsInvalid):
        MonitoringSettings(**fields)
    assert MonitoringSettings(no_match=0.0).rate == 0.01
