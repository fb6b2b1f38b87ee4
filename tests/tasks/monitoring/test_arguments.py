"""The options and their defaults."""

import argparse

from tasks.monitoring.arguments import add_arguments
from tasks.monitoring.settings import MonitoringSettings


def test_the_defaults_are_those_of_the_settings() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    found, default = parser.parse_args([]), MonitoringSettings()
    assert (found.day, found.model, found.log) == ("yesterday", None, None)
    assert (found.false_alarms, found.least_rows, found.history) == (
        default.rate,
        default.least_rows,
        default.history,
    )
    assert (found.against, found.no_match) == (default.against, default.no_match)
