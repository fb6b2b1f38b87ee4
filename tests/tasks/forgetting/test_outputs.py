import shutil
from pathlib import Path

from tasks.forgetting.outputs import Outputs
from tasks.forgetting.person import Person
from tests.tasks.forgetting.small import ADA, gathered, holders, traces_of


def _found(root: Path, person: Person) -> set[str]:
    return {Path(finding.what).relative_to(root).as_posix() for finding in Outputs(root).find(person)}


def test_outputs_with_the_person_and_the_pictures_go(small: Path) -> None:
    person, traces = gathered(small), traces_of(small)
    (small / "data" / "forgetting").mkdir()
    (small / "data" / "forgetting" / "journal.json").write_text(ADA)
    outbox = small / "data" / "outbox" / "1"
    outbox.mkdir(parents=True)
    (outbox / "records.jsonl").write_text(f'{{"message": "no face of {ADA}"}}\n')
    (small / "data" / "tokens.json").write_text(f'{{"name": "{ADA}"}}')
    (small / "models").mkdir()
    (small / "models" / "model.json").write_text(f'{{"path": "/srv/{ADA}"}}')
    (small / "reports" / "promotions.jsonl").write_text(f'{{"by": "{ADA}"}}')
    expected = {"data/raw", "data/aligned", "data/embeddings", "data/outbox/1/records.jsonl"}
    expected |= {"reports/decisions.csv", "reports/report.html", "reports/worst_errors.png"}
    assert _found(small, person) == expected
    place = Outputs(small)
    place.erase(person, place.find(person))
    assert _found(small, person) == set()
    assert holders(small / "reports", traces) == []
    assert sorted(path.name for path in (small / "data").iterdir()) == [
        "cache",
        "fingerprint.json",
        "forgetting",
        "outbox",
        "tokens.json",
    ]
    left = sorted(path.name for path in (small / "reports").iterdir())
    assert left == ["history.csv", "promotions.jsonl", "roc.png"]
    assert (small / "models" / "model.json").exists()


def test_pictures_stay_if_nothing_has_the_person(small: Path) -> None:
    assert _found(small, Person(identities={"Nobody"}, photos={"ab" * 32})) == set()


def test_pictures_go_first_since_nothing_else_leads_to_them(small: Path) -> None:
    person = gathered(small)
    place, findings = Outputs(small), Outputs(small).find(person)
    place.erase(person, [finding for finding in findings if finding.what.endswith(".png")])
    assert "reports/decisions.csv" in _found(small, person)
    assert "reports/worst_errors.png" not in _found(small, person)


def test_a_workspace_without_outputs_has_nothing(small: Path) -> None:
    person = gathered(small)
    shutil.rmtree(small / "data")
    shutil.rmtree(small / "reports")
    assert _found(small, person) == set()
