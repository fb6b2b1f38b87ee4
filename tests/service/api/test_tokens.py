import json
import multiprocessing
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid, SourceInvalid
from service.api.tokens import TokenRejected, TokenStore


def create(path: Path, number: int) -> None:
    TokenStore(path).create(f"client {number}")


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "secrets" / "tokens.json")


def test_a_token_is_accepted_and_its_text_is_not_stored(store: TokenStore) -> None:
    token, text = store.create("phone", "enrol", days=1)
    assert store.check(text) == token
    stored = store.path.read_text()
    secret = text.rsplit("_", 1)[1] if text.count("_") == 2 else text[len("facenet_") + 13 :]
    assert secret not in stored
    assert text not in stored
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_scopes_include_lesser_ones(store: TokenStore) -> None:
    granted = {}
    for scope in ("read", "enrol", "admin"):
        token, _ = store.create(scope, scope)
        granted[scope] = [name for name in ("read", "enrol", "admin") if token.grants(name)]
    assert granted == {
        "read": ["read"],
        "enrol": ["read", "enrol"],
        "admin": ["read", "enrol", "admin"],
    }


def test_wrong_expired_and_revoked_tokens_are_rejected(store: TokenStore) -> None:
    _, text = store.create("phone", days=1)
    for wrong in (
        "",
        "phone",
        text[:-1],
        text + "x",
        text[:-1] + ("a" if text[-1] != "a" else "b"),
        "é" * 64,
    ):
        with pytest.raises(TokenRejected, match="unknown"):
            store.check(wrong)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(TokenRejected, match="expired"):
        store.check(text, now=lambda: tomorrow)
    assert store.revoke("phone").name == "phone"
    with pytest.raises(TokenRejected, match="unknown or revoked"):
        store.check(text)


def test_a_running_server_sees_changes_of_other_processes(store: TokenStore) -> None:
    assert store.entries() == []
    other = TokenStore(store.path)
    token, text = other.create("late", days=None)
    assert store.check(text) == token
    assert token.expires is None
    other.revoke(token.id)
    with pytest.raises(TokenRejected):
        store.check(text)


def test_processes_that_create_at_once_lose_no_token(store: TokenStore) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=create, args=(store.path, number)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [token.name for token in store.entries()] == [f"client {number}" for number in range(6)]


def test_invalid_requests_are_refused_with_the_reason(store: TokenStore) -> None:
    store.create("phone")
    with pytest.raises(ParamsInvalid, match=r"facenet token revoke 'phone'"):
        store.create("phone")
    with pytest.raises(ParamsInvalid, match="read, enrol, admin"):
        store.create("b", "write")
    for days in (0, -1, float("nan"), 1e9):
        with pytest.raises(ParamsInvalid, match="days"):
            store.create("c", days=days)
    for name in ("", "a\nb", "<b>", "x" * 65):
        with pytest.raises(ParamsInvalid, match="name"):
            store.create(name)
    with pytest.raises(ParamsInvalid, match="facenet token list"):
        store.revoke("d")


@pytest.mark.parametrize("content", ["", "{}", "[]", json.dumps({"format": 2, "tokens": []})])
def test_a_damaged_file_is_named_and_grants_nothing(store: TokenStore, content: str) -> None:
    _, text = store.create("phone")
    store.path.write_text(content)
    with pytest.raises(SourceInvalid, match=r"tokens\.json is damaged"):
        store.check(text)


def test_the_place_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_TOKENS", "/srv/tokens.json")
    assert TokenStore().path == Path("/srv/tokens.json")
    monkeypatch.delenv("FACENET_TOKENS")
    assert TokenStore().path == Path("data/tokens.json")
    assert os.environ.get("FACENET_TOKENS") is None
