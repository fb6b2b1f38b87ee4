"""Which checks a site gets, and what they are compared with."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tasks.monitoring.checks import (
    complete,
    face_reference,
    no_match_share,
    planned_checks,
    unlike_evaluation,
)
from tasks.monitoring.rows import DecisionRow, Measures
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.traffic import Traffic
from tests.tasks.monitoring.simulation import traffic, watched


def rows_of(path: Path, rows: list[DecisionRow]) -> Traffic:
    store = DecisionStore.open(path / f"{len(list(path.iterdir()))}.db")
    store.append(rows)
    found = Traffic.of(store.read(date(2026, 1, 1), date(2026, 12, 31)))
    store.close()
    return found


def test_the_checks_of_a_site(tmp_path: Path) -> None:
    day, earlier = (rows_of(tmp_path, traffic("2026-11-30", 60, seed)) for seed in (1, 2))
    plans = list(planned_checks(day, earlier, watched(), MonitoringSettings(rate=0.2)))
    names = [check.name for plan in plans for check in plan.run(0.05)]
    assert names[0] == names[1] == "detector_probability"
    assert names[16:] == [
        *("all of them", "no face", "rejected", "no match, identify", "score, identify", "latency"),
    ]
    assert all(plan.tested for plan in plans)


def test_the_right_photo_has_checks_of_its_own(tmp_path: Path) -> None:
    rows = [replace(row, other=row.face, face=Measures()) for row in traffic("2026-11-30", 60, 1)]
    day = rows_of(tmp_path, rows)
    left, right, *_ = planned_checks(day, day, watched(), MonitoringSettings())
    assert not left.tested
    assert right.run(0.1)[0].name == "detector_probability (right photo)"


def test_faces_are_compared_with_the_model_or_with_earlier_days(tmp_path: Path) -> None:
    few, many = (rows_of(tmp_path, traffic("2026-11-29", count, 2)) for count in (60, 3000))
    model, auto = watched(), MonitoringSettings()
    assert model.reference is not None
    assert face_reference(few, model, auto) is model.reference.rows
    chosen = face_reference(many, model, auto)
    assert len(chosen) == 2000
    assert (chosen[[0, -1]] == complete(many)[[0, -1]]).all()  # of all earlier days, not the last ones
    assert face_reference(many, model, MonitoringSettings(against="model")) is model.reference.rows
    assert len(face_reference(few, model, MonitoringSettings(against="site"))) == 60
    assert len(face_reference(few, replace(model, reference=None), auto)) == 60


def test_small_differences_from_the_evaluation_are_no_alarm_but_from_earlier_days_they_are(
    tmp_path: Path,
) -> None:
    shifted = rows_of(tmp_path, traffic("2026-11-30", 600, 1, change=[0, 0.35, 0, 0, 0, 0, 0, 0]))
    earlier = rows_of(tmp_path, traffic("2026-11-29", 600, 2))
    verdicts = {}
    for against in ("model", "auto"):
        faces, *_ = planned_checks(shifted, earlier, watched(2000), MonitoringSettings(against=against))  # type: ignore[arg-type]
        verdicts[against] = {check.verdict for check in faces.run(0.02) if check.name == "side"}
    assert verdicts["model"] == {"ok"}
    assert "alarm" in verdicts["auto"]


def test_what_is_unlike_the_evaluation(tmp_path: Path) -> None:
    day = rows_of(tmp_path, traffic("2026-11-30", 200, 1, change=[0, 0, 2, 0, 0, 0, 0, 0]))
    assert unlike_evaluation(day, watched()) == ["sharpness"]
    assert unlike_evaluation(day, replace(watched(), reference=None)) == []


def test_after_a_change_of_the_threshold_earlier_scores_are_decided_again(tmp_path: Path) -> None:
    earlier = rows_of(tmp_path, traffic("2026-11-29", 200, 2, no_match=0.5))
    scores = earlier.numbers("score")
    assert no_match_share(earlier, 0.45, None) == earlier.share("no match")
    assert no_match_share(earlier, 0.3, None) == (int((scores >= 0.3).sum()), 200)
    assert no_match_share(earlier, None, None) == earlier.share("no match")
    count, rows = no_match_share(earlier, 0.45, 0.25)
    assert count / rows == pytest.approx(0.25)
