"""Which requests are allowed: with tokens, those whose token has the scope; without, all."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Depends, Request
from starlette.requests import cookie_parser

from service.api.problems import Problem
from service.api.tokens import TokenRejected, TokenStore

COOKIE = "facenet_token"  # of the pages
LOCAL = "local"  # the user of a server without tokens


class Access:
    """Checks the token of a request.

    Args:
        tokens: the tokens; None if none is needed.
    """

    def __init__(self, tokens: TokenStore | None) -> None:
        self.tokens = tokens

    def user(self, headers: Mapping[str, str], scope: str) -> str:
        """Return the name of the token that a request has, which must grant `scope`.

        Raises:
            Problem: 401 without a valid token, 403 with one of a lesser scope.
        """
        if self.tokens is None:
            return LOCAL
        scheme, _, text = headers.get("authorization", f"Bearer {_cookie(headers)}").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise _unauthorized("Send a token: `Authorization: Bearer TOKEN`.")
        try:
            token = self.tokens.check(text.strip())
        except TokenRejected as rejected:
            raise _unauthorized(f"{rejected} Create one with `facenet token create`.") from None
        if not token.grants(scope):
            raise Problem(403, "forbidden", f"The token has the scope {token.scope}; this needs {scope}.")
        return token.name


def requires(scope: str) -> Any:
    """Return a FastAPI dependency with the name of the user; requests without the scope are refused."""
    return Depends(_checks(scope))


def _checks(scope: str) -> Callable[[Request], str]:
    def user(request: Request) -> str:
        access: Access = request.app.state.context.access
        return access.user(request.headers, scope)

    return user


def _cookie(headers: Mapping[str, str]) -> str:
    """Return the token that signing in has left in a cookie, which other sites cannot send."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _unauthorized(message: str) -> Problem:
    return Problem(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})
