from pathlib import Path

from tasks.forgetting.decisions import Decisions
from tasks.forgetting.person import Person
from tests.tasks.forgetting.small import gathered


def test_rows_go_by_digest_and_by_name_and_the_others_stay(small: Path) -> None:
    person, place = gathered(small), Decisions(small)
    (small / "labels" / "forgotten.csv").write_text(f"digest\n{min(person.photos)}\n")
    (finding,) = place.find(person)
    assert (Path(finding.what).name, finding.count) == ("decisions.csv", 2)
    place.erase(person, [finding])
    assert (small / "labels" / "decisions.csv").read_text() == (
        "digest,identity,action,target,who,when,why\n,Cy,merge,Di,me,2026-12-01T00:00:00Z,\n"
    )
    assert place.find(person) == []
    assert min(person.photos) in (small / "labels" / "forgotten.csv").read_text()


def test_a_project_without_decisions_has_nothing(tmp_path: Path) -> None:
    assert Decisions(tmp_path).find(Person(identities={"Ada"})) == []
