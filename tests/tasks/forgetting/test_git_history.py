import subprocess
from pathlib import Path

from tasks.forgetting.git_history import GitHistory
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action
from tests.tasks.forgetting.small import ADA, gathered


def _git(root: Path, *words: str) -> None:
    user = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", "-C", str(root), *user, *words], check=True, capture_output=True)


def test_commits_with_decisions_or_photos_are_named(small: Path) -> None:
    person, place = gathered(small), GitHistory(small)
    assert place.find(person) == []  # no repository
    _git(small, "init", "--quiet")
    (small / "README").write_text(ADA)
    _git(small, "add", "README")
    _git(small, "commit", "-qm", "a file that does not count")
    assert place.find(person) == []
    _git(small, "add", "labels/decisions.csv")
    _git(small, "commit", "-qm", "decisions")
    (finding,) = place.find(person)
    assert (finding.action, finding.count) == (Action.LEFT, 1)
    (small / "labels" / "forgotten.csv").write_text(min(person.photos))
    _git(small, "add", "labels", f"photos/{ADA}")
    _git(small, "commit", "-qm", "receipt and photos")
    (finding,) = place.find(person)
    assert finding.count == 2
    assert "filter-repo" in finding.note
    (single,) = place.find(Person(photos=person.photos))
    assert single.count == 1
    place.erase(person, [single])
    assert place.find(person) == [finding]
