"""The day that is meant, and what the command writes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from facenet.face_model import FaceModel
from tasks.commands.monitor import day_of, main
from tasks.monitoring.store import DecisionStore
from tasks.reports import read_report
from tests.tasks.monitoring.log import row


def test_the_day() -> None:
    today = datetime.now(UTC).date()
    assert day_of("today") in (today, today + timedelta(days=1))
    assert day_of("yesterday") in (today - timedelta(days=1), today)
    assert day_of("2026-11-30") == date(2026, 11, 30)
    with pytest.raises(ParamsInvalid, match="'tomorrow' is not a day"):
        day_of("tomorrow")


def test_it_writes_the_report_and_removes_old_rows(
    model_folder: Path,
    face_model: FaceModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACENET_MONITORING", str(tmp_path / "x.db"))
    monkeypatch.setenv("FACENET_MONITORING_DAYS", "30")
    today = str(datetime.now(UTC).date())
    store = DecisionStore.open()
    store.append(
        [row("2020-01-01T00:00:00.000+00:00"), row(f"{today}T00:00:00.000+00:00", model=face_model.digest)]
    )
    main(["--day", today, "--model", str(model_folder)])
    assert capsys.readouterr().out.startswith(f"{today}: too few rows to test anything; 1 rows, 0 lost")
    assert read_report(Path("reports/monitoring.json"))["day"] == today
    assert today in Path("reports/monitoring.html").read_text()
    assert len(store.read(date(2019, 1, 1), date(2100, 1, 1))["id"]) == 1
    store.close()
