from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from tasks.database_urls import database_url, printable

PLACE = {"what": "the store", "variable": "FACENET_STORE", "expected": "Set FACENET_STORE."}


def test_a_path_is_an_sqlite_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = database_url("a b/100%.db", **PLACE, failure=ParamsInvalid)
    assert (url.drivername, url.database) == ("sqlite", str(tmp_path / "a b" / "100%.db"))
    assert printable(url) == str(tmp_path / "a b" / "100%.db")


def test_a_password_is_not_printed() -> None:
    url = database_url("postgres://ada:s3cret@host/faces", **PLACE, failure=ParamsInvalid)
    assert (url.drivername, url.password) == ("postgresql+psycopg2", "s3cret")
    assert printable(url) == "postgresql://ada:***@host/faces"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (
            "mysql://ada:s3cret@host/faces",
            r"^mysql://ada:\*{3}@host/faces is not the URL of the store\.",
        ),
        ("sqlite:///:memory:", "is not the URL of the store"),
        ("://s3cret", r"^The URL of the store in FACENET_STORE is not valid\. Set FACENET_STORE\."),
    ],
)
def test_another_database_is_refused(named: str, message: str) -> None:
    with pytest.raises(ParamsInvalid, match=message) as refused:
        database_url(named, **PLACE, failure=ParamsInvalid)
    assert "s3cret" not in str(refused.value)
