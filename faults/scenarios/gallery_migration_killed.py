"""SIGKILL of a gallery's change to another model: all templates are the old model's, or all the new one's."""

import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from faults.cluster import cluster
from faults.errors import FaultFound, NotPossible
from faults.gallery_work import MODEL, NEXT, SIZE, Log, next_template, open_gallery, photos_of
from faults.project import ROOT
from service.gallery import Gallery
from service.gallery.errors import ModelDiffers

PEOPLE = 120
STEP = 0.15  # seconds by which each attempt lives longer than the one before


def run(folder: Path) -> None:
    """Try both databases, PostgreSQL if it is installed."""
    kill_until_done(str(folder / "gallery.db"), folder / "sqlite.log")
    try:
        with cluster() as server:
            kill_until_done(server.url, folder / "postgresql.log")
    except NotPossible as reason:
        print(f"   not tried on PostgreSQL: {reason}")


def kill_until_done(url: str, log: Path, people: int = PEOPLE) -> None:
    """Enrol people, and kill the migration later and later until it ends, with a check after each attempt.

    Raises:
        FaultFound: the gallery has templates of both models, or has lost a photo.
    """
    names = [f"person {number}" for number in range(people)]
    with open_gallery(url) as gallery:
        for name in names:
            gallery.enrol(name, photos_of(name), by="faults")
    for attempt in count(1):
        command = [sys.executable, "-m", "faults.gallery_work", "migrate", url, str(log)]
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            code = process.wait(attempt * STEP)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
        model = _model_of(url)
        _check(url, model, names)
        if code == 0:
            break
        if code != -signal.SIGKILL:
            raise FaultFound(f"the migration ended with {code}")
        time.sleep(0.05)
    if model != NEXT or Log(log).lines() != [("end migrate", NEXT)] * len(Log(log).lines()):
        raise FaultFound("the migration ended, and the gallery has the old model")
    print(
        f"   {'sqlite' if '://' not in url else 'postgresql'}: {attempt - 1} kills, then all photos are new"
    )


def _model_of(url: str) -> str:
    """Return the model that a gallery is bound to."""
    try:
        open_gallery(url).close()
    except ModelDiffers:
        return NEXT
    return MODEL


def _check(url: str, model: str, names: list[str]) -> None:
    with Gallery.open(url, model_digest=model, template_size=SIZE) as gallery:
        snapshot = gallery.snapshot()
    if list(snapshot.names) != names:
        raise FaultFound(f"{len(snapshot.names)} of {len(names)} people are left")
    for number, name in enumerate(names):
        photos = photos_of(name)
        expected = [p.template if model == MODEL else next_template(p.photo or b"") for p in photos]
        found = snapshot.templates[snapshot.owners == number]
        if [row.tobytes() for row in found] != [template.tobytes() for template in expected]:
            raise FaultFound(f"{name} does not have the templates of the model {model[:4]}")
