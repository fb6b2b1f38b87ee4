"""What is said of versions; test_rest.py and test_training.py compare real servers that run there."""

from importlib.metadata import version

import pytest

from commands.checks.server_versions import compare_versions, mlflow_version, prefect_version


@pytest.mark.parametrize(
    ("server", "state"),
    [("0.1.0", "wrong"), ("99.0", "wrong"), ("same", "ok"), ("", "note"), ("<html>", "note")],
)
def test_an_older_or_a_different_major_version_is_wrong(server: str, state: str) -> None:
    here = version("mlflow")
    (finding,) = compare_versions("mlflow", "mlflow", "host", here if server == "same" else server)
    assert finding.state == state
    if state == "wrong":
        assert finding.message == f"host runs mlflow {server}, and {here} is installed here"
        assert finding.fix == f"make down && make up, or install mlflow=={here} where the server runs"


def test_a_newer_server_of_the_same_major_version_is_noted() -> None:
    major = version("prefect").partition(".")[0]
    (finding,) = compare_versions("prefect", "prefect", "host", f"{major}.9999.0")
    assert (finding.state, finding.fix.startswith("make down && make up")) == ("note", True)


def test_a_server_that_is_away_states_nothing() -> None:
    assert mlflow_version("http://127.0.0.1:9") == prefect_version("http://127.0.0.1:9/api") == ""
