import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tasks import paths
from tasks.forgetting.caches import Caches
from tasks.forgetting.decisions import Decisions
from tasks.forgetting.journal import Journal
from tasks.forgetting.leftovers import Leftovers
from tasks.forgetting.located import Located
from tasks.forgetting.outputs import Outputs
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding, Place
from tasks.forgetting.sources import SourceFolders
from tasks.forgetting.work import ForgettingFailed, find, forget
from tasks.labels.forgotten import Forgotten, read_forgotten
from tests.tasks.forgetting.small import gathered, holders, traces_of

KILLED = """
import os, signal, sys
from pathlib import Path
from tasks.forgetting import files
from tests.tasks.forgetting import test_work
left = int(sys.argv[1])
def remove_or_die(path, remove=files.remove):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    remove(path)
from tasks.forgetting import caches, leftovers, outputs, sources
for module in (caches, leftovers, outputs, sources):
    module.remove = remove_or_die
root = Path.cwd()
journal = test_work.journal_of(root)
forget = test_work.forget
forget(root, test_work.places_of(root), journal, lambda line: None)
"""


def places_of(root: Path) -> list[Place]:
    source = Located(root / "photos", inside=True)
    places = [SourceFolders(root, [source]), Caches(root), Outputs(root), Decisions(root)]
    return [*places, Leftovers(root, [source])]


def journal_of(root: Path) -> Journal:
    return Journal(gathered(root), Forgotten().pseudonym("Ada Lovelace"), "2026-12-01T00:00:00Z", "asked")


def _check_forgotten(root: Path, traces: dict[str, bytes]) -> None:
    assert holders(root, traces) == []
    receipt = read_forgotten(root / paths.FORGOTTEN)
    assert [entry.event for entry in receipt.entries] == ["refused"] * 3 + ["erased"]
    assert receipt.entries[-1].places.startswith("sources; caches; outputs")
    assert not (root / "data" / "forgetting").exists()
    text = (root / paths.FORGOTTEN).read_bytes()
    biometric = [trace for name, trace in traces.items() if "hex" not in name]
    assert not any(trace in text for trace in [*biometric, b"Lovelace"])


def test_a_person_is_forgotten_in_all_places(small: Path) -> None:
    traces, journal, said = traces_of(small), journal_of(small), list[str]()
    assert len(holders(small, traces)) > 10
    assert forget(small, places_of(small), journal, said.append) == []
    _check_forgotten(small, traces)
    assert said[0] == "sources: 3"
    assert sorted(path.name for path in (small / "photos").iterdir()) == ["Bob", "Cy", "Di", "Eve", "Flo"]


@pytest.mark.parametrize("removed", [0, 4, 7])
def test_killed_at_any_moment_the_same_command_finishes(removed: int, small: Path, root: Path) -> None:
    traces = traces_of(small)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(removed)],
        env={"PYTHONPATH": str(root), "PATH": ""},
        cwd=small,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert read_forgotten(small / paths.FORGOTTEN).digests  # ingest refuses them already
    journal = Journal.read(small)
    assert journal is not None
    forget(small, places_of(small), journal, lambda _: None)
    _check_forgotten(small, traces)


class Stubborn:
    """A place that another program fills again."""

    name = "stubborn"

    def find(self, person: Person) -> list[Finding]:
        del person
        return [Finding("thing"), Finding("far away", Action.LEFT)]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        del person
        assert [finding.what for finding in findings] == ["thing"]


def test_what_is_still_there_is_an_error_and_the_journal_stays(small: Path) -> None:
    journal = journal_of(small)
    with pytest.raises(ForgettingFailed, match="still something in: stubborn"):
        forget(small, [Stubborn()], journal, lambda _: None)
    assert Journal.read(small) is not None
    (found,) = find([Stubborn()], journal.person)
    assert [finding.what for finding in found.left] == ["far away"]
