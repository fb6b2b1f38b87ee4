from pathlib import Path

from tasks.audit.automatic import decide
from tasks.labels.decisions import read_decisions
from tests.tasks.audit.test_suspects import suspect

P, Q, R = "a" * 64, "b" * 64, "c" * 64


def test_probable_errors_of_names_are_decided_once(tmp_path: Path) -> None:
    file = tmp_path / "labels" / "decisions.csv"
    suspects = [
        suspect(digest=P, probability=0.95, action="move", target="Bob"),
        suspect(digest=Q, probability=0.5),
        suspect(digest=R, probability=0.99, kind="burst"),
        suspect(kind="merged", digest=R, identity="Cid", probability=0.9, action="split", target="Cid (2)"),
    ]
    decisions = decide(file, suspects, 0.9)
    assert read_decisions(file) == decisions
    assert [(d.digest, d.action, d.target) for d in decisions] == [
        (P, "move", "Bob"),
        (R, "split", "Cid (2)"),
    ]
    assert {d.who for d in decisions} == {"facenet audit"}
    assert decisions[0].why == "outlier, probability 0.95"
    decide(file, suspects, 0.9)
    assert len(read_decisions(file)) == 2


def test_merges_contradict_each_other_nowhere(tmp_path: Path) -> None:
    pairs = [("Ann", "Bob"), ("Bob", "Cid"), ("Ann", "Cid"), ("Cid", "Ann")]
    suspects = [
        suspect(kind="split", identity=one, target=other, action="merge", probability=0.9)
        for one, other in pairs
    ]
    decide(tmp_path / "decisions.csv", suspects, 0.9)
    found = [(d.identity, d.target) for d in read_decisions(tmp_path / "decisions.csv")]
    assert found == [("Ann", "Bob"), ("Bob", "Cid")]


def test_nothing_probable_writes_nothing(tmp_path: Path) -> None:
    assert decide(tmp_path / "decisions.csv", [suspect(digest=P)], 0.9) == []
    assert not (tmp_path / "decisions.csv").exists()
