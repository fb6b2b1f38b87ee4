"""`facenet monitor` as users run it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facenet.face_model import FaceModel
from tasks.monitoring.store import DecisionStore
from tests.commands.running import facenet
from tests.tasks.monitoring.simulation import traffic

TODAY = str(datetime.now(UTC).date())


@pytest.fixture
def _log(face_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = DecisionStore.open("monitoring/decisions.db")
    store.append(traffic("2026-01-01", 60, 1, model=face_model.digest))
    store.append(traffic(TODAY, 60, 2, model="c" * 64))
    store.close()


@pytest.mark.usefixtures("_log")
def test_an_alarm_is_exit_code_1(model_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("monitor", "--day", TODAY, "--model", model_folder) == 1
    assert "  alarm: model (rows 60, alarm above 0): cccccccccccc" in capsys.readouterr().out
    assert facenet("monitor", "--day", "2021-05-05", "--model", model_folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "no rows"
    assert facenet("monitor", "--false-alarms", "2", "--model", model_folder) == 2
    assert capsys.readouterr().err.startswith("ParamsInvalid: The rate of false alarms is 2.0")
