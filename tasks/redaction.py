"""Removal of passwords and keys from text that goes into logs, messages, artifacts or reports."""

import logging
import os
import re
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
LEAST = 6  # characters of a secret: shorter ones would be found in ordinary words
_SECRET = re.compile(r"(?:PASSWORD|PASSWD|SECRET|SECRET_KEY|ACCESS_KEY|API_KEY|TOKEN|AUTH_STRING)$")
_USER = re.compile(r"(?<=://)[^\s/?#'\"<>]*@")  # user and password of a URL, which end before the host
_KEY = re.compile(
    r"(?i)(?<=[?&])((?:x-amz-(?:signature|security-token|credential)|access_token|token|sig|signature|password"
    r"|api_?key|secret)=)[^&\s'\"]+"
)


def redact(text: str) -> str:
    """Return `text` without users and passwords of URLs, signed queries, and secrets of the environment.

    The latter are the values of variables such as MLFLOW_TRACKING_PASSWORD, AWS_SECRET_ACCESS_KEY or
    PREFECT_API_AUTH_STRING, and the passwords of URLs in any variable.
    """
    for secret in sorted(set(_secrets()), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _KEY.sub(rf"\1{HIDDEN}", _USER.sub(f"{HIDDEN}@", text))


def has_password(url: str) -> bool:
    """Return whether a URL contains a user, a password or a signature."""
    return bool(_USER.search(url) or _KEY.search(url))


def redact_logs() -> None:
    """Let every log record of this process pass through `redact`, its traceback too; may be repeated."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def make_redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit; the handler reports it
            return record
        if (clean := redact(text)) != text:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0]:
            written = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (clean := redact(written)) != written:
                record.exc_text, record.exc_info = clean, None
        return record

    make_redacted.redacts = True  # type: ignore[attr-defined]  # so that a second call is noticed
    logging.setLogRecordFactory(make_redacted)


def _secrets() -> Iterator[str]:
    for name, value in os.environ.items():
        if len(value) < LEAST:
            continue
        if _SECRET.search(name):
            yield value
            user, colon, password = value.partition(":")  # an AUTH_STRING
            if colon and user and len(password) >= LEAST:
                yield password
        elif "://" in value and "@" in value:
            yield from (each for each in _passwords(value) if len(each) >= LEAST)


def _passwords(value: str) -> Iterator[str]:
    """Yield the passwords of the URLs in a variable, as written and decoded."""
    for url in re.split(r"[,\s]+", value):
        try:
            password = urlsplit(url).password
        except ValueError:  # not a URL after all
            continue
        if password:
            yield from (password, unquote(password))
