"""Where the log is, and how long rows are stored."""

from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from tasks.database_urls import printable
from tasks.monitoring.location import is_off, locate, retention_days


def test_a_path_the_variable_and_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACENET_MONITORING", raising=False)
    assert printable(locate()) == str(tmp_path / "monitoring" / "decisions.db")
    monkeypatch.setenv("FACENET_MONITORING", "postgresql://ann:secret@db/log")
    assert printable(locate()) == "postgresql://ann:***@db/log"
    assert printable(locate(tmp_path / "x.db")) == str(tmp_path / "x.db")


@pytest.mark.parametrize("place", ["mysql://a/b", "sqlite://", "http://[", "postgresql://host"])
def test_another_url(place: str) -> None:
    with pytest.raises(ParamsInvalid, match=r"FACENET_MONITORING|decision log"):
        locate(place)


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_MONITORING", "none")
    assert is_off()
    assert not is_off("x.db")
    assert is_off("none")
    with pytest.raises(ParamsInvalid, match="turned off"):
        locate()


def test_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACENET_MONITORING_DAYS", raising=False)
    assert retention_days() == 90
    monkeypatch.setenv("FACENET_MONITORING_DAYS", "7")
    assert retention_days() == 7
    for wrong in ("0", "-1", "a week", "1.5"):
        monkeypatch.setenv("FACENET_MONITORING_DAYS", wrong)
        with pytest.raises(ParamsInvalid, match="whole number of days"):
            retention_days()
