import multiprocessing
from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.labels.decision import HEADER, Decision
from tasks.labels.decisions import (
    append_decisions,
    read_decisions,
    replace_decisions,
    undo_decisions,
    write_decisions,
)

P, Q = "a" * 64, "b" * 64
WHEN = "2026-12-01T09:30:00Z"
HEAD = ",".join(HEADER) + "\n"


def _drop(digest: str = P, who: str = "Eve") -> Decision:
    return Decision(digest, "Ann", "drop", "", who, WHEN, 'a "poster", not her')


def _move() -> Decision:
    return Decision(Q, "Zo\u00eb", "move", "Bob", "Eve", WHEN, "")


def test_decisions_come_back_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "labels" / "decisions.csv"
    assert read_decisions(path) == []
    write_decisions(path, [_drop(), _move()])
    found = read_decisions(path)
    assert found == [_drop(), _move()]
    assert [decision.line for decision in found] == [2, 3]
    assert path.read_text().startswith(f'{HEAD}{P},Ann,drop,,Eve,{WHEN},"a ""poster"", not her"\n')


def test_the_committed_file_is_valid(root: Path) -> None:
    assert (root / "labels" / "decisions.csv").read_text() == HEAD
    assert read_decisions(root / "labels" / "decisions.csv") == []


def test_what_spreadsheets_write_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_bytes(f"\ufeff{HEAD}{P},Zoe\u0308,drop,,,{WHEN},\n\n".replace("\n", "\r\n").encode())
    assert read_decisions(path) == [Decision(P, "Zo\u00eb", "drop", when=WHEN)]
    append_decisions(path, [_move()])
    assert (
        path.read_bytes()
        == f"{HEAD}{P},Zo\u00eb,drop,,,{WHEN},\n{Q},Zo\u00eb,move,Bob,Eve,{WHEN},\n".encode()
    )


def test_appending_undoing_and_replacing(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    assert append_decisions(path, [_drop()]) == [_drop()]
    assert append_decisions(path, [_drop(who="Mallory"), _move()]) == [_drop(), _move()]
    keep = Decision(P, "Ann", "keep", when=WHEN)
    assert replace_decisions(path, [_drop()], [keep]) == [_move(), keep]
    assert undo_decisions(path, [_move()]) == [keep] == read_decisions(path)


def test_a_decision_of_another_reviewer_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    append_decisions(path, [_drop()])
    before = path.read_bytes()
    with pytest.raises(
        DataInvalid, match=r"decisions.csv: Lines 2 and 3 contradict .*of Ann \(Eve\), and keep"
    ):
        append_decisions(path, [Decision(P, "Ann", "keep", when=WHEN)])
    with pytest.raises(
        DataInvalid, match="does not have the decision to move photo bbbbbbbbbbbb of Zo\u00eb to Bob"
    ):
        undo_decisions(path, [_drop(), _move()])
    with pytest.raises(DataInvalid, match="decision to drop photo abc of Ann: digest 'abc' is not a sha256"):
        append_decisions(path, [Decision("abc", "Ann", "drop", when=WHEN)])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected digest,identity,action,target,who,when,why with commas, found ''"),
        (HEAD.replace(",", ";"), "line 1: expected digest,identity,.* found 'digest;identity;action"),
        (f"{HEAD}{P},Ann,drop\n", "line 2: expected 7 columns, .* found 3. Put text with a comma"),
        (f"{HEAD}\n{P},Ann,drop,,Eve,{WHEN},a poster, not her\n", "line 3: expected 7 columns, .* found 8"),
        (f"{HEAD}{P},Ann,remove,,Eve,{WHEN},\n", "line 2: action 'remove' is not one of"),
        (f'{HEAD}{P},Ann,drop,,Eve,{WHEN},"open\n', "line 2: unexpected end of data. Correct the quotes"),
        (f"{HEAD}<<<<<<< HEAD\n", "line 2: a conflict marker of Git"),
        (f"{HEAD}{P},Ann,drop,,,{WHEN},\n{P},Ann,keep,,,{WHEN},\n", "Lines 2 and 3 contradict each other"),
        (f"{HEAD},A,merge,B,,{WHEN},\n,B,merge,A,,{WHEN},\n", "lines 2, 3 lead in a circle"),
    ],
)
def test_a_damaged_file_is_an_error_with_the_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(text)
    with pytest.raises(DataInvalid, match=message):
        read_decisions(path)
    with pytest.raises(DataInvalid, match=message):
        append_decisions(path, [_move()])
    assert path.read_text() == text


def test_text_that_is_not_utf8_is_an_error_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_bytes(f"{HEAD}{P},Zo\u00eb,drop,,,{WHEN},\n".encode("cp1252"))
    with pytest.raises(DataInvalid, match="line 2: expected UTF-8 text"):
        read_decisions(path)


def _decide(path: Path, digits: str, who: str) -> None:
    for digit in digits:
        append_decisions(path, [_drop(digit * 64, who)])
        if digit in "37":
            undo_decisions(path, [_drop(digit * 64, who)])


def test_two_reviewers_at_once_lose_no_decision(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    context = multiprocessing.get_context("spawn")
    work = [("01234", "Eve"), ("56789", "Mallory")]
    reviewers = [context.Process(target=_decide, args=(path, *part)) for part in work]
    for reviewer in reviewers:
        reviewer.start()
    for reviewer in reviewers:
        reviewer.join()
    assert [reviewer.exitcode for reviewer in reviewers] == [0, 0]
    assert {decision.digest[0] for decision in read_decisions(path)} == set("01245689")
    assert [left.name for left in tmp_path.iterdir() if left.name.startswith(".tmp")] == []
