"""Download one URL to one file: resumed, retried, verified, and complete or absent."""

import hashlib
import os
import time
from pathlib import Path

import requests
import urllib3
from tqdm import tqdm

from facenet.atomic import write_text
from facenet.digests import file_digest
from facenet.errors import DownloadFailed
from facenet.storage import named

ATTEMPTS = 4  # consecutive ones without a new byte
TIMEOUT = (10, 60)  # seconds to connect, and between two bytes
CHUNK = 1 << 20
RETRIED = {408, 425, 429, 500, 502, 503, 504}


def download(url: str, target: Path, *, sha256: str | None = None, pause: float = 1.0) -> None:
    """Download `url` to `target` and verify its sha256.

    Received bytes are kept in a .part file next to it, and a later call resumes from there if the server
    confirms that the file is unchanged. Attempts are `pause` seconds apart at first; the pause then doubles.

    Raises:
        DownloadFailed: the reason why this URL failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
    failures = 0
    while failures < ATTEMPTS:
        before = _length(part)
        try:
            _receive(url, part, target.name)
            break
        except _RefusedError as error:
            raise DownloadFailed(str(error)) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failures = 1 if _length(part) > before else failures + 1
            if failures == ATTEMPTS:
                raise DownloadFailed(f"{_cause(error)} ({ATTEMPTS} attempts)") from error
            time.sleep(pause * 2 ** (failures - 1))
    digest = file_digest(part)
    if sha256 is not None and digest != sha256:
        _discard(part)
        raise DownloadFailed(f"its sha256 is {digest}, not {sha256}")
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    _discard(part)


class _RefusedError(Exception):
    """The server refuses the file; retrying does not help."""


def _cause(error: BaseException) -> str:
    """Return the innermost error: the outer ones only repeat it."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _version(part: Path) -> Path:
    """Return the file with the ETag or date of the version that `part` belongs to."""
    return part.with_suffix(".version")


def _stored_version(part: Path) -> str | None:
    """Return the version that `part` belongs to; None if it is unknown or its file is damaged."""
    try:
        text = _version(part).read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return text if text and text.isprintable() else None


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _version(part).unlink(missing_ok=True)


def _receive(url: str, part: Path, name: str) -> None:
    """Append the missing bytes of `url` to `part`, or start again if the server cannot resume."""
    headers = {"Accept-Encoding": "identity"}
    if _length(part) and (version := _stored_version(part)):
        headers |= {"Range": f"bytes={_length(part)}-", "If-Range": version}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            _discard(part)
            raise requests.ConnectionError("the file on the server is shorter than the part received")
        if not answer.ok and answer.status_code not in RETRIED:
            raise _RefusedError(f"HTTP {answer.status_code} {answer.reason}")
        answer.raise_for_status()
        start = _length(part) if answer.status_code == requests.codes.partial_content else 0
        if not start:
            _discard(part)
            version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
            if version and not version.startswith("W/"):
                write_text(_version(part), version)
        _append(answer, part, start, name)


def _append(answer: requests.Response, part: Path, start: int, name: str) -> None:
    left = answer.headers.get("Content-Length")
    total = start + int(left) if left else None
    with (
        part.open("ab") as file,
        tqdm(desc=name, total=total, initial=start, unit="B", unit_scale=True, mininterval=1) as bar,
    ):
        # `iter_content` would lose the bytes received before a break inside a chunk.
        while chunk := answer.raw.read1(CHUNK):
            with named(part):
                file.write(chunk)
            bar.update(len(chunk))
    if total is not None and _length(part) != total:
        raise requests.ConnectionError(f"received {_length(part)} of {total} bytes")
