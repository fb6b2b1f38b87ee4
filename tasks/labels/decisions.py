"""The file of decisions, labels/decisions.csv, which reviewers write and ingest applies.

Reviewers write at once: every change is made under a lock and replaces the file atomically, and a decision
that contradicts one that is already there is refused.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from facenet.atomic import write_text
from facenet.errors import DataInvalid
from tasks.labels.contradictions import check_consistent, described
from tasks.labels.decision import HEADER, Decision, problem_of
from tasks.labels.forgotten import locked

_BOM = "\ufeff"


def read_decisions(path: Path) -> list[Decision]:
    """Return the decisions with their lines, in the order of the file; none if it does not exist.

    A byte order mark, other line ends and empty lines are accepted; what is written next has none of them.

    Raises:
        DataInvalid: a row is not valid, rows contradict each other, or they lead in a circle; the message
            names the line.
    """
    try:
        text = path.read_bytes().decode("utf-8").removeprefix(_BOM)
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataInvalid(
            f"{path}, line {line}: expected UTF-8 text. Save it as CSV in UTF-8, or restore it with "
            f"`git checkout {path}`."
        ) from error
    decisions = list(_rows(path, text))
    _check(path, decisions)
    return decisions


def write_decisions(path: Path, decisions: Sequence[Decision]) -> None:
    """Replace the file atomically, with the decisions in the given order.

    Raises:
        DataInvalid: a decision is not valid, or they contradict each other; the lines are those they would
            have. The file is unchanged.
        StorageFailed: the folder cannot be written.
    """
    with locked(path):
        _write(path, decisions)


def append_decisions(path: Path, decisions: Sequence[Decision]) -> list[Decision]:
    """Add decisions to the file under its lock, and return all that it has then.

    One that is already there, by whomever, is not added again.

    Raises:
        DataInvalid: a decision is not valid, or contradicts one of the file, perhaps of another reviewer; the
            file is unchanged.
        StorageFailed: the folder cannot be written.
    """

    def add(present: list[Decision]) -> list[Decision]:
        decided = {(decision.subject, decision.outcome) for decision in present}
        return [*present, *(new for new in decisions if (new.subject, new.outcome) not in decided)]

    return _change(path, add)


def undo_decisions(path: Path, decisions: Sequence[Decision]) -> list[Decision]:
    """Remove decisions from the file under its lock, and return all that it has then.

    Raises:
        DataInvalid: the file does not have a decision, as another reviewer has undone it; it is unchanged.
        StorageFailed: the folder cannot be written.
    """
    return replace_decisions(path, decisions, [])


def replace_decisions(path: Path, old: Sequence[Decision], new: Sequence[Decision]) -> list[Decision]:
    """Remove `old` and add `new` in one step, and return all that the file has then.

    Raises:
        DataInvalid: the file does not have one of `old`, or `new` are not valid; the file is unchanged.
        StorageFailed: the folder cannot be written.
    """

    def exchange(present: list[Decision]) -> list[Decision]:
        left = list(present)
        for decision in old:
            if decision not in left:
                raise DataInvalid(
                    f"{path} does not have the decision to {described(decision)} any more: somebody has "
                    "changed it. Reload, and decide again."
                )
            left.remove(decision)
        return [*left, *new]

    return _change(path, exchange)


def _change(path: Path, change: Callable[[list[Decision]], list[Decision]]) -> list[Decision]:
    with locked(path):
        return _write(path, change(read_decisions(path)))


def _write(path: Path, decisions: Iterable[Decision]) -> list[Decision]:
    numbered = [replace(decision, line=line) for line, decision in enumerate(decisions, start=2)]
    for decision in numbered:
        if problem := problem_of(decision):
            raise DataInvalid(f"The decision to {described(decision)}: {problem}.")
    _check(path, numbered)
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(HEADER)
    rows.writerows([getattr(decision, name) for name in HEADER] for decision in numbered)
    write_text(path, buffer.getvalue())
    return numbered


def _check(path: Path, decisions: Sequence[Decision]) -> None:
    try:
        check_consistent(decisions)
    except DataInvalid as error:
        raise DataInvalid(f"{path}: {error}") from error


def _rows(path: Path, text: str) -> Iterator[Decision]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        if tuple(header) != HEADER:
            found = ",".join(header)[:80]
            raise DataInvalid(
                f"{path}, line 1: expected {','.join(HEADER)} with commas, found {found!r}. Correct it."
            )
        for row in rows:
            if row:
                yield _decision(f"{path}, line {rows.line_num}", row, rows.line_num)
    except csv.Error as error:
        raise DataInvalid(
            f"{path}, line {rows.line_num}: {error}. Correct the quotes of the line."
        ) from error


def _decision(place: str, row: Sequence[str], line: int) -> Decision:
    if row[0].startswith(("<<<<<<<", "=======", ">>>>>>>")):
        raise DataInvalid(f"{place}: a conflict marker of Git. Keep the rows of both sides, without markers.")
    if len(row) != len(HEADER):
        raise DataInvalid(
            f"{place}: expected {len(HEADER)} columns, {','.join(HEADER)}, found {len(row)}. Put text with a "
            "comma into double quotes."
        )
    decision = Decision(**dict(zip(HEADER, row, strict=True)), line=line)
    if problem := problem_of(decision):
        raise DataInvalid(f"{place}: {problem}.")
    return decision
