"""Bearer tokens: what they grant and until when. The file holds their digests, never the tokens.

A token is 32 random bytes, so that one SHA-256 protects it at rest: there is nothing to guess.
"""

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from facenet.atomic import atomic_path
from facenet.errors import ParamsInvalid, SourceInvalid
from facenet.storage import named

SETTING = "FACENET_TOKENS"
DEFAULT = Path("data") / "tokens.json"
SCOPES = ("read", "enrol", "admin")  # each includes those before it
FORM = re.compile(r"facenet_(?P<id>[0-9a-f]{12})_(?P<secret>[\w-]{43})", re.ASCII)
NAME = re.compile(r"[\w. @-]{1,64}")
FORMAT = 1


class TokenRejected(Exception):
    """A token is malformed, unknown, revoked or expired."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as stored.

    id: public, part of the token. name: says who uses it. scope: one of SCOPES. sha256: of the secret part.
    created, expires: ISO 8601 in UTC; expires is None for a token without end.
    """

    id: str
    name: str
    scope: str
    sha256: str
    created: str
    expires: str | None

    def grants(self, scope: str) -> bool:
        """Return whether it may be used for a scope."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def expired(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return self.expires is not None and datetime.fromisoformat(self.expires) <= now


class TokenStore:
    """The file with all tokens, by default that of FACENET_TOKENS or data/tokens.json.

    Every change is atomic and holds a lock; a running server sees it with its next request.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(os.environ.get(SETTING) or DEFAULT)
        self._seen: tuple[int, int, int] | None = None
        self._tokens: dict[str, Token] = {}

    def create(self, name: str, scope: str = "read", days: float | None = 90) -> tuple[Token, str]:
        """Store a new token; return it, and the text that its user sends, which is shown only now.

        days: until it expires; None for never.

        Raises:
            ParamsInvalid: name, scope or days are invalid, or another token has the name.
        """
        if not NAME.fullmatch(name):
            raise ParamsInvalid("A token's name has 1 to 64 letters, digits, spaces or any of . _ @ -")
        if scope not in SCOPES:
            raise ParamsInvalid(f"The scope of a token is one of {', '.join(SCOPES)}, not {scope!r}.")
        if days is not None and not 0 < days <= 36_500:
            raise ParamsInvalid("A token expires after more than 0 and at most 36500 days.")
        now, secret = datetime.now(UTC), secrets.token_urlsafe(32)
        token = Token(
            id=secrets.token_hex(6),
            name=name,
            scope=scope,
            sha256=_digest(secret),
            created=now.isoformat(timespec="seconds"),
            expires=None if days is None else (now + timedelta(days=days)).isoformat(timespec="seconds"),
        )
        with self._changing() as tokens:
            if any(other.name == name for other in tokens.values()):
                raise ParamsInvalid(f"There is a token {name!r} already: `facenet token revoke {name!r}`.")
            tokens[token.id] = token
        return token, f"facenet_{token.id}_{secret}"

    def entries(self) -> list[Token]:
        """Return all tokens, sorted by name.

        Raises:
            SourceInvalid: the file is damaged.
        """
        return sorted(self._current().values(), key=lambda token: token.name)

    def revoke(self, name: str) -> Token:
        """Remove the token with a name or an id, and return it; a server rejects it from its next request on.

        Raises:
            ParamsInvalid: there is none.
        """
        with self._changing() as tokens:
            found = next((token for token in tokens.values() if name in (token.name, token.id)), None)
            if found is None:
                raise ParamsInvalid(f"There is no token {name!r}: `facenet token list` shows all.")
            del tokens[found.id]
        return found

    def check(self, text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Token:
        """Return the token of a text.

        Raises:
            TokenRejected: it is malformed, unknown, revoked or expired.
            SourceInvalid: the file is damaged.
        """
        parts = FORM.fullmatch(text)
        token = self._current().get(parts["id"]) if parts else None
        expected = token.sha256 if token else _digest("")
        matches = hmac.compare_digest(_digest(parts["secret"] if parts else ""), expected)
        if token is None or not matches:
            raise TokenRejected("The token is unknown or revoked.")
        if token.expired(now()):
            raise TokenRejected("The token has expired.")
        return replace(token)

    def _current(self) -> dict[str, Token]:
        """Return the tokens of the file, read again only after a change."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return {}
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self._seen:
            self._tokens, self._seen = self._read(), seen
        return self._tokens

    def _read(self) -> dict[str, Token]:
        try:
            return _parsed(self.path.read_text())
        except (ValueError, TypeError, KeyError) as error:
            raise SourceInvalid(f"{self.path} is damaged ({error}). Delete it, and create tokens.") from error

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        """Hold the lock, yield the tokens, and store them unless there was an error."""
        with named(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self.path.with_name(f"{self.path.name}.lock").open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = self._read() if self.path.exists() else {}
            yield tokens
            entries = [asdict(token) for token in tokens.values()]
            with atomic_path(self.path) as temporary:
                temporary.touch(mode=0o600)
                temporary.write_text(
                    json.dumps({"format": FORMAT, "tokens": entries}, indent=2, allow_nan=False) + "\n"
                )


def _parsed(text: str) -> dict[str, Token]:
    content = json.loads(text)
    if content["format"] != FORMAT:
        raise ValueError(f"unsupported format, expected {FORMAT}")
    return {entry["id"]: Token(**entry) for entry in content["tokens"]}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
