"""The monitoring flow: the states it ends in, its event, and a day without rows."""

from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from facenet.face_model import FaceModel
from flows import monitoring
from flows.automations import DRIFT
from flows.monitoring import conclude, main
from tasks.monitoring.store import DecisionStore
from tests.tasks.monitoring.log import row

REPORT: dict[str, Any] = {
    "day": "2026-11-30",
    "model": "a" * 64,
    "origin": "models:/facenet/3",
    "status": "alarm",
    "alarms": ["default: sharpness from 40 to 50 (KS 0.25, alarm above 0.1)"],
    "notices": [],
    "rows": 500,
    "dropped": 0,
    "sites": {},
}


@pytest.mark.parametrize("alarms", [[], REPORT["alarms"]])
def test_only_an_alarm_sends_the_event(api: str, monkeypatch: pytest.MonkeyPatch, alarms: list[str]) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        monitoring, "emit_event", lambda name, **fields: sent.append({"name": name, **fields})
    )

    @flow
    def ends() -> Any:
        return conclude({**REPORT, "alarms": alarms, "status": "alarm" if alarms else "ok"})

    state: Any = ends(return_state=True)
    assert state.is_completed()
    assert state.name == ("Drifted" if alarms else "Completed")
    assert [(event["name"], event["payload"]["alarms"]) for event in sent] == (
        [(DRIFT, alarms)] if alarms else []
    )


def test_a_day_of_another_model_through_the_whole_flow(
    api: str,
    model_folder: Path,
    face_model: FaceModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    root: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("FACENET_MONITORING", str(tmp_path / "x.db"))
    store = DecisionStore.open()
    store.append([row("2026-11-30T00:00:00.000+00:00", model="b" * 64)])
    store.close()
    main(["--day", "2026-11-30", "--model", str(model_folder)])
    assert "1 alarm, first model (rows 1, alarm above 0): bbbbbbbbbbbb" in capsys.readouterr().out
    assert (tmp_path / "reports" / "monitoring.json").exists()


def test_a_missing_model_is_the_reason_of_the_run(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root))
    with pytest.raises(SystemExit, match="1"):
        main(["--model", "nowhere"])
    assert "There is no nowhere/model.json" in capsys.readouterr().err
