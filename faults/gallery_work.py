"""Work on a gallery, to be killed: `python -m faults.gallery_work write|read|migrate URL LOG`.

A writer logs what it begins and what was acknowledged. Photos and templates follow from the name, so a reader
and the final check know what each person must have.
"""

import hashlib
import itertools
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facenet.results import Face, PhotoError, Quality
from faults.errors import FaultFound
from service.gallery import Enrolment, Gallery, Snapshot
from service.gallery.errors import ErasureIncomplete, PersonUnknown
from service.gallery.migration import migrate

MODEL, NEXT, SIZE, PHOTOS = "f" * 64, "e" * 64, 512, 3
REMOVE_EVERY = 6  # enrolments of a writer
NEWEST = 20  # people whose templates a reader compares each time


def photos_of(name: str) -> list[Enrolment]:
    """Return the photos of a name: the same in every process."""
    random = np.random.default_rng(list(hashlib.sha256(name.encode()).digest()))
    templates = random.normal(size=(PHOTOS, SIZE)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    quality = Quality(100, 50, 128)
    return [Enrolment.of(random.bytes(3000), template, quality, keep=True) for template in templates]


def open_gallery(url: str) -> Gallery:
    """Open or create the gallery of the scenario."""
    return Gallery.open(url, model_digest=MODEL, template_size=SIZE)


def write(url: str, log: Path) -> None:
    """Enrol people without end, try those of a killed predecessor again, and remove some."""
    gallery, done = open_gallery(url), Log(log)
    for action, name in done.unfinished():
        _do(gallery, done, action, name)
    for number in itertools.count(done.enrolled()):
        _do(gallery, done, "enrol", f"{log.stem} person {number}.")
        if number % REMOVE_EVERY == REMOVE_EVERY - 1:
            _do(gallery, done, "remove", f"{log.stem} person {number - REMOVE_EVERY // 2}.")


def _do(gallery: Gallery, log: "Log", action: str, name: str) -> None:
    log.add(f"begin {action}", name)
    if action == "enrol":
        gallery.enrol(name, photos_of(name), by="faults")
    else:
        with suppress(PersonUnknown, ErasureIncomplete):  # a predecessor got so far; the next opening erases
            gallery.remove(name)
    log.add(f"end {action}", name)


def read(url: str, log: Path) -> None:
    """Read without end, and log each person that is not whole."""
    gallery, done = open_gallery(url), Log(log)
    for turn in itertools.count():
        snapshot = gallery.snapshot()
        for name in incomplete(snapshot):
            done.add("half", name)
        page = gallery.people(limit=50).people
        for person in page:
            if person.photos != PHOTOS:
                done.add("half", person.name)
        if len(snapshot):
            row = turn % len(snapshot)
            found = gallery.search(snapshot.templates[row][None])
            if found.scores[0, 0] < 0.999 and snapshot.names[snapshot.owners[row]] in found.snapshot.names:
                done.add("lost", snapshot.names[snapshot.owners[row]])
        done.add("read", str(snapshot.version))


def migrate_all(url: str, log: Path) -> None:
    """Replace all templates by those of the model NEXT, and log the end."""
    migrate(url, model_digest=NEXT, template_size=SIZE, embed=embed_again)
    Log(log).add("end migrate", NEXT)


def embed_again(photos: Sequence[bytes]) -> list[Face | PhotoError]:
    """Return what the model NEXT makes of photos, slowly enough to be killed."""
    time.sleep(0.05)
    return [Face((0, 0, 9, 9), None, 1.0, next_template(photo)) for photo in photos]


def next_template(photo: bytes) -> npt.NDArray[np.float32]:
    """Return the template of the model NEXT for a photo."""
    seed = list(hashlib.sha256(photo).digest())
    return np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)


def incomplete(snapshot: Snapshot) -> list[str]:
    """Return the people of a snapshot who have more or fewer photos than enrolled, or other templates."""
    counts = np.bincount(snapshot.owners, minlength=len(snapshot.names))
    wrong = [snapshot.names[number] for number in np.flatnonzero(counts != PHOTOS)]
    for number in range(max(0, len(snapshot.names) - NEWEST), len(snapshot.names)):
        templates = snapshot.templates[snapshot.owners == number]
        if not _same(templates, snapshot.names[number]):
            wrong.append(snapshot.names[number])
    return wrong


def _same(templates: npt.NDArray[np.float32], name: str) -> bool:
    expected = [entry.template for entry in photos_of(name)]
    return sorted(row.tobytes() for row in templates) == sorted(row.tobytes() for row in expected)


class Log:
    """Lines of an action and a name; each is in the file once `add` returns, whatever happens next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def add(self, action: str, name: str) -> None:
        """Append a line."""
        os.write(self._file, f"{action}\t{name}\n".encode())

    def lines(self) -> list[tuple[str, str]]:
        """Return all lines."""
        rows = (line.split("\t") for line in self.path.read_text().splitlines())
        return [(row[0], row[1]) for row in rows]

    def names(self, action: str) -> set[str]:
        """Return the names of the lines of an action."""
        return {name for found, name in self.lines() if found == action}

    def enrolled(self) -> int:
        """Return how many people were begun."""
        return len(self.names("begin enrol"))

    def unfinished(self) -> list[tuple[str, str]]:
        """Return the actions that were begun and not acknowledged."""
        lines = self.lines()
        begun = [
            (action.removeprefix("begin "), name) for action, name in lines if action.startswith("begin")
        ]
        return [(action, name) for action, name in begun if (f"end {action}", name) not in lines]


def check(url: str, logs: list[Log]) -> tuple[int, int]:
    """Compare a gallery with the logs of its writers; return how many people are enrolled and were removed.

    Raises:
        FaultFound: an acknowledged enrolment is missing, somebody is there twice or in part, or was removed.
    """
    enrolled = set[str]().union(*(log.names("end enrol") for log in logs))
    begun = set[str]().union(*(log.names("begin enrol") for log in logs))
    removed = set[str]().union(*(log.names("end remove") for log in logs))
    removing = set[str]().union(*(log.names("begin remove") for log in logs))
    with open_gallery(url) as gallery:
        snapshot, info = gallery.snapshot(), gallery.info()
        names = set(snapshot.names)
        wrong = [name for number, name in enumerate(snapshot.names) if not _whole(snapshot, number)]
    problems = {
        "acknowledged, but missing": enrolled - removing - names,
        "never enrolled": names - begun,
        "removed, but there": names & removed,
        "not whole": set(wrong),
    }
    if found := {what: sorted(who)[:5] for what, who in problems.items() if who}:
        raise FaultFound(f"the gallery is wrong: {found}")
    if info.photos != PHOTOS * len(names) or len(names) != len(snapshot.names):
        raise FaultFound(f"{len(names)} people have {info.photos} photos, not {PHOTOS} each")
    return len(names), len(removed)


def _whole(snapshot: Snapshot, number: int) -> bool:
    return _same(snapshot.templates[snapshot.owners == number], snapshot.names[number])


if __name__ == "__main__":
    {"write": write, "read": read, "migrate": migrate_all}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
