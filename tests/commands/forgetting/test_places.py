from pathlib import Path

import pytest

from commands.forgetting.places import Interrupted, Workplace
from tasks.forgetting.journal import Journal
from tasks.forgetting.request import NobodyFound
from tests.tasks.forgetting.conftest import small, small_template
from tests.tasks.forgetting.small import ADA

__all__ = ["small", "small_template"]


@pytest.fixture
def workplace(small: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    from tasks.params import load_params

    load_params.cache_clear()  # of the parameters of another test
    monkeypatch.delenv("FACENET_GALLERY", raising=False)
    return Workplace.open(gallery=None, backups=[])


def test_a_journal_is_new_or_the_interrupted_one_of_this_request(workplace: Workplace) -> None:
    with pytest.raises(Interrupted, match="Nothing was interrupted"):
        workplace.journal(None, None, why="")
    first = workplace.journal(ADA, None, why="asked")
    assert (first.person.identities, first.why, first.done) == ({ADA}, "asked", [])
    first.done.append("sources")
    first.write(workplace.root)
    assert workplace.journal(ADA, None, why="") == workplace.journal(None, None, why="") == first
    for identity, photo in (("Bob", None), (None, "0" * 64)):
        with pytest.raises(Interrupted, match="Finish it first: facenet forget --resume --yes"):
            workplace.journal(identity, photo, why="")
    first.remove(workplace.root)
    photo = workplace.root / "photos" / ADA / "1.jpg"
    assert len(workplace.journal(None, str(photo), why="").person.photos) == 1
    with pytest.raises(NobodyFound):
        workplace.journal("Nobody", None, why="")


def test_what_saves_work_is_cleaned_before_what_it_needs(workplace: Workplace) -> None:
    journal: Journal = workplace.journal(ADA, None, why="")
    names = [place.name for place in workplace.places(journal)]
    assert names.index("sources") < names.index("caches") < names.index("outputs")
    assert names.index("DVC") < names.index("MLflow") < names.index("model versions")
    assert len(names) == len(set(names)) == 16
