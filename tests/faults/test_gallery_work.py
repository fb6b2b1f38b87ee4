"""A short run of the scenario `gallery_writers_killed`, and what its checks find."""

from pathlib import Path

import pytest

from faults.errors import FaultFound
from faults.gallery_work import Log, check, incomplete, open_gallery, photos_of
from faults.scenarios import gallery_migration_killed
from faults.scenarios.gallery_writers_killed import disturb


def test_killed_writers_lose_and_double_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "gallery.db")
    disturb(place, tmp_path / "logs", writers=2, readers=1, seconds=2.5, every=1)
    assert "nothing lost, doubled or halved" in capsys.readouterr().out


def test_a_lost_or_halved_person_is_found(tmp_path: Path) -> None:
    place, log = str(tmp_path / "gallery.db"), Log(tmp_path / "writer0.log")
    for action in ("begin enrol", "end enrol"):
        log.add(action, "Ada")
    with pytest.raises(FaultFound, match="acknowledged, but missing': \\['Ada'\\]"):
        check(place, [log])
    with open_gallery(place) as gallery:
        gallery.enrol("Ada", photos_of("Ada")[:2], by="me")
        assert set(incomplete(gallery.snapshot())) == {"Ada"}
    with pytest.raises(FaultFound, match="not whole': \\['Ada'\\]"):
        check(place, [log])
    with open_gallery(place) as gallery:
        gallery.enrol("Ada", photos_of("Ada"), by="me")
        assert incomplete(gallery.snapshot()) == []
    assert check(place, [log]) == (1, 0)
    log.add("begin enrol", "Bob")
    assert log.unfinished() == [("enrol", "Bob")]
    assert check(place, [log]) == (1, 0)


def test_a_killed_migration_leaves_one_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gallery_migration_killed, "STEP", 1.0)
    gallery_migration_killed.kill_until_done(str(tmp_path / "g.db"), tmp_path / "log", people=12)
    assert "then all photos are new" in capsys.readouterr().out
