"""What every command prints: lines and JSON on standard output, problems and progress on standard error."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from facenet.errors import FaceNetError
from tasks.redaction import redact

if TYPE_CHECKING:
    from tqdm import tqdm


def show(text: str) -> None:
    """Print `text` and flush: the reader of a pipe may be waiting for it, or have closed the pipe."""
    if sys.stdout.isatty():
        from tqdm import tqdm  # imported late: only a terminal shows a progress bar

        tqdm.write(text, file=sys.stdout, end="")  # moves the progress bar out of the way
    else:
        sys.stdout.write(text)
    sys.stdout.flush()


def show_json(value: Any) -> None:
    """Print a value as strict JSON on several lines."""
    show(json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextmanager
def lines() -> Iterator[Callable[[Any], None]]:
    """Yield a function that prints an entry as it is; the counterpart of `json_list`."""
    yield show


@contextmanager
def json_list() -> Iterator[Callable[[Any], None]]:
    """Yield a function that prints an entry of a JSON list, which is closed even if an error ends it."""
    separators = chain("[", repeat(","))
    try:
        yield lambda value: show(f"{next(separators)}\n{json.dumps(value, allow_nan=False)}")
    finally:
        show("[]\n" if next(separators) == "[" else "\n]\n")


def complain(error: FaceNetError | str) -> None:
    """Print one line about a problem on standard error, without passwords and keys."""
    text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    sys.stderr.write(redact(f"{text}\n"))


def progress(total: int, *, name: str, unit: str = "photos") -> "tqdm[Any]":
    """Return a progress bar on standard error that appears after a second, and only on a terminal."""
    from tqdm import tqdm  # imported late: `--help` does not need it

    return tqdm(total=total, desc=name, unit=f" {unit}", mininterval=1, delay=1, disable=None)


def as_text(name: str) -> str:
    """Replace lone surrogates, which stand for bytes that are not UTF-8, by U+FFFD.

    Strict JSON parsers reject lone surrogates.
    """
    return re.sub(r"[\ud800-\udfff]", "\ufffd", name)


def printable(name: str) -> str:
    """Escape line breaks and control characters, which could manipulate a terminal."""
    text = as_text(name)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
