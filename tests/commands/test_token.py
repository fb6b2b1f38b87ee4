import json
from pathlib import Path

import pytest

from service.api.tokens import TokenStore
from tests.commands.running import facenet, facenet_process


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenStore:
    monkeypatch.setenv("FACENET_TOKENS", str(tmp_path / "tokens.json"))
    return TokenStore()


def test_create_list_and_revoke(store: TokenStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("token", "create", "phone", "--scope", "enrol", "--days", "7") == 0
    text = capsys.readouterr().out.strip()
    assert store.check(text).scope == "enrol"
    assert facenet("token", "list", "--json") == 0
    shown = capsys.readouterr().out
    (entry,) = json.loads(shown)
    assert (entry["name"], entry["scope"], entry["expired"]) == ("phone", "enrol", False)
    assert text not in shown
    assert "sha256" not in shown
    assert facenet("token", "list") == 0
    assert "phone" in capsys.readouterr().out
    assert facenet("token", "revoke", "phone") == 0
    assert store.entries() == []


def test_a_token_without_end(store: TokenStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("token", "create", "forever", "--days", "0", "--json") == 0
    created = json.loads(capsys.readouterr().out)
    assert created["expires"] is None
    assert store.check(created["token"]).name == "forever"


def test_an_unknown_token_is_an_error(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "token", "revoke", "phone")
    assert done.returncode == 2
    assert "facenet token list" in done.stderr
