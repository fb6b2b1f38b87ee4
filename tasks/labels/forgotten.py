"""The receipt of what was forgotten, labels/forgotten.csv: it only grows, and ingest refuses what it names.

A row `refused` has the digest of a photo. A row `erased` closes the forgetting of a person or photo, and has
the places that were cleaned. Neither has a name or anything biometric: `person` is a pseudonym.
"""

import csv
import fcntl
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from facenet.atomic import write_text
from facenet.errors import DataInvalid
from facenet.storage import named
from tasks.labels.pseudonyms import PATTERN, new_salt, pseudonym, salt_of

REFUSED, ERASED = "refused", "erased"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """One row.

    digest: sha256 of a photo file, "" in a row `erased`. person: the pseudonym of the person, or of one photo
    as pairs files name it. event: refused or erased. when: ISO 8601, UTC, seconds. why: the reason given.
    places: that were cleaned, "" in a row `refused`.
    """

    digest: str
    person: str
    event: str
    when: str
    why: str = ""
    places: str = ""


HEADER = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True)
class Forgotten:
    """The content of the receipt."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def digests(self) -> frozenset[str]:
        """The sha256 of the photos that ingest refuses."""
        return frozenset(entry.digest for entry in self.entries if entry.event == REFUSED)

    @cached_property
    def salts(self) -> tuple[str, ...]:
        """The salts of the pseudonyms: one, or more where the receipts of two clones were merged."""
        return tuple(dict.fromkeys(salt_of(entry.person) for entry in self.entries))

    @cached_property
    def people(self) -> frozenset[str]:
        """The pseudonyms."""
        return frozenset(entry.person for entry in self.entries)

    def names(self, name: str) -> bool:
        """Return whether a person, or a photo as pairs files name it, was forgotten; it takes about 15 ms."""
        return any(pseudonym(name, salt) in self.people for salt in self.salts)

    def pseudonym(self, name: str) -> str:
        """Return the pseudonym that a name has, or would have, in this receipt."""
        return pseudonym(name, self.salts[0] if self.salts else new_salt())

    @property
    def sha256(self) -> str:
        """A digest of what is refused, which does not depend on the order of the rows."""
        lines = sorted({*self.digests, *self.people})
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_forgotten(path: Path) -> Forgotten:
    """Return the receipt, an empty one if the file does not exist.

    Raises:
        DataInvalid: a row is not valid; the message names the line.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Forgotten()
    except UnicodeDecodeError as error:
        raise DataInvalid(f"{path} is not UTF-8. Restore it from Git.") from error
    return Forgotten(tuple(_entries(path, text)))


def append(path: Path, entries: Sequence[Entry]) -> None:
    """Append rows that the receipt does not have yet; it is replaced atomically, under a lock.

    Raises:
        DataInvalid: the receipt is not valid.
        StorageFailed: the folder cannot be written.
    """
    with locked(path):
        present = read_forgotten(path).entries
        new = [entry for entry in entries if entry not in present]
        if new:
            write_text(path, _text([*present, *new]))


def now() -> str:
    """Return the time as the receipt has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on the folder of a file; the kernel releases it when this process ends."""
    with named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = (path.parent / ".lock").open("a")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _entries(path: Path, text: str) -> Iterator[Entry]:
    rows = csv.reader(io.StringIO(text))
    header = next(rows, None)
    if header is None or tuple(header) != HEADER:
        raise DataInvalid(f"{path}, line 1: expected {','.join(HEADER)}. Restore the file from Git.")
    for row in rows:
        place = f"{path}, line {rows.line_num}"
        if len(row) != len(HEADER):
            raise DataInvalid(f"{place}: expected {len(HEADER)} columns, found {len(row)}. Correct it.")
        entry = Entry(*row)
        if problem := _problem(entry):
            raise DataInvalid(f"{place}: {problem}. Restore the line from Git.")
        yield entry


def _problem(entry: Entry) -> str | None:
    if entry.event not in (REFUSED, ERASED):
        return f"event {entry.event!r} is neither {REFUSED} nor {ERASED}"
    if not PATTERN.fullmatch(entry.person):
        return f"person {entry.person!r} is not a pseudonym"
    expected = _DIGEST if entry.event == REFUSED else re.compile("")
    if not expected.fullmatch(entry.digest):
        return f"digest {entry.digest!r} does not fit a row {entry.event}"
    return None


def _text(entries: Iterable[Entry]) -> str:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows(astuple(entry) for entry in entries)
    return buffer.getvalue()
