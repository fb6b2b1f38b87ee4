"""Paths and URLs name a gallery, and a password is never shown."""

from pathlib import Path

import pytest

from service.gallery.errors import StoreFailed
from service.gallery.location import locate
from tasks.database_urls import printable


def test_by_default_it_is_a_file_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACENET_GALLERY", raising=False)
    assert printable(locate()) == str(tmp_path / "gallery" / "gallery.db")
    monkeypatch.setenv("FACENET_GALLERY", "ünï cödé/100%.db")
    assert printable(locate()) == str(tmp_path / "ünï cödé" / "100%.db")
    assert printable(locate(Path("other.db"))) == str(tmp_path / "other.db")
    assert printable(locate("sqlite:////data/g.db")) == "/data/g.db"


def test_a_password_is_used_but_not_shown() -> None:
    url = locate("postgresql://ada:s3cret@db.example:5433/faces")
    assert url.password == "s3cret"
    assert url.drivername == "postgresql+psycopg2"
    assert printable(url) == "postgresql://ada:***@db.example:5433/faces"


@pytest.mark.parametrize(
    "wrong",
    [
        "mysql://ada:s3cret@host/faces",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://h",
        "://s3cret",
        "x://",
    ],
)
def test_anything_else_is_refused_with_what_is_expected(wrong: str) -> None:
    with pytest.raises(StoreFailed, match=r"Set FACENET_GALLERY to a path, or to postgresql://") as failed:
        locate(wrong)
    assert "s3cret" not in str(failed.value)
