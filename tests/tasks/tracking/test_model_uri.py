"""A URI names one registered version, or the error says what the registry has."""

from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.tracking.model_uri import resolve_version
from tests.calibration import calibrate
from tests.registration import register_faces


@pytest.fixture
def registered(mlflow_store: Path, tiny_model: Path) -> Path:
    """A version with alias challenger, calibrated on ten people."""
    calibrate(tiny_model, mlflow_store)
    register_faces(tiny_model, mlflow_store)
    return tiny_model


@pytest.mark.parametrize("uri", ["models:/faces@challenger", "models:/faces/1"])
def test_a_version_is_found_by_alias_and_by_number(registered: Path, uri: str) -> None:
    version = resolve_version(uri)
    assert (version.model, version.number, version.aliases) == ("faces", 1, ("challenger",))


def test_register_warns_of_a_calibration_on_few_people(
    registered: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warnings = [record.getMessage() for record in caplog.get_records("setup")]
    assert any("measured on 10 people; at least 40 are needed" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("models:/faces", "expected models:/NAME@ALIAS"),
        ("runs:/1/model", "expected models:/NAME@ALIAS"),
        ("models:/faces@champion", "the aliases of faces are: challenger"),
        ("models:/faces/7", "dvc repro register"),
        ("models:/cats@champion", "the aliases of cats are: none"),
    ],
)
def test_what_the_registry_does_not_have_raises(registered: Path, uri: str, message: str) -> None:
    with pytest.raises(SourceInvalid, match=message):
        resolve_version(uri)
