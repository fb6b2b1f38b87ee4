"""`facenet token`: create, list and revoke the tokens that `facenet serve` accepts."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from commands.exit_codes import OK
from commands.numbers import number_between
from commands.output import complain, show, show_json

if TYPE_CHECKING:
    from service.api.tokens import Token

FOREVER = 0  # days


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet token`."""
    parser.description = (
        "Manage the tokens of `facenet serve`, in the file of FACENET_TOKENS or data/tokens.json. It holds "
        "digests: a token is shown once, when it is created. A running server follows the file."
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="create a token and print it")
    create.add_argument("name", metavar="NAME", help="who or what uses it")
    scope = "read: verify, identify, embed, list; enrol: also enrol; admin: also remove (default: read)"
    create.add_argument("--scope", choices=("read", "enrol", "admin"), default="read", help=scope)
    days = number_between(FOREVER, 36500)
    create.add_argument("--days", type=days, default=90, help="until it expires; 0: never (default: 90)")
    listing = actions.add_parser("list", help="list the tokens")
    revoke = actions.add_parser("revoke", help="make a token invalid")
    revoke.add_argument("name", metavar="NAME", help="name or id of the token")
    for action in (create, listing, revoke):
        action.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Create, list or revoke.

    Raises:
        ParamsInvalid: the name is taken, or there is no such token.
    """
    from service.api.tokens import TokenStore  # imported late: `--help` does not need it

    store = TokenStore()
    if arguments.action == "create":
        token, text = store.create(arguments.name, arguments.scope, arguments.days or None)
        if arguments.json:
            show_json({**_shown(token), "token": text})
        else:
            complain("Keep this token: it is not shown again. Send it as `Authorization: Bearer TOKEN`.")
            show(f"{text}\n")
    elif arguments.action == "list":
        tokens = store.entries()
        if arguments.json:
            show_json([_shown(token) for token in tokens])
        else:
            show("".join(_line(token) for token in tokens))
    else:
        token = store.revoke(arguments.name)
        if arguments.json:
            show_json(_shown(token))
        else:
            show(f"revoked {token.name} ({token.id})\n")
    return OK


def _shown(token: Token) -> dict[str, Any]:
    expired = token.expired(datetime.now(UTC))
    shown = {name: getattr(token, name) for name in ("id", "name", "scope", "created", "expires")}
    return {**shown, "expired": expired}


def _line(token: Token) -> str:
    until = "never expires" if token.expires is None else f"until {token.expires}"
    ended = " (expired)" if token.expired(datetime.now(UTC)) else ""
    return f"{token.id}  {token.scope:5}  {until}{ended}  {token.name}\n"
