"""A full disk in ingest, align, train, register: one message; with space, all ends as undisturbed."""

import re
import time
from pathlib import Path

from facenet.atomic import TEMPORARY
from facenet.digests import file_digest
from faults.disk import disk
from faults.errors import FaultFound
from faults.project import Checkout, new_project

STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")
# Bytes that are left: enough for DVC to start the stage, too few for what the stage writes.
LEFT = {"ingest": 2_500_000, "align": 700_000, "train": 4_000_000, "register": 4_000_000}
SAID = re.compile(r"StorageFailed: [^\r\n]*|TrackingFailed: [^\r\n]*|ERROR: [^\r\n]*")
COMPARED = ("models/facenet.safetensors", "data/raw/manifest.parquet", "reports/decisions.csv")
VERSIONS = """
from tasks.tracking.registry import aliases, versions
print(len(versions("facenet")), aliases("facenet"))
"""


def run(folder: Path) -> None:
    """Fill the disk before each of the four stages, and compare the results with those of a run without."""
    (folder / "plain").mkdir()
    plain = new_project(folder / "plain")
    plain.repro()
    with disk(folder / "disk") as small:
        project = new_project(small.folder)
        for stage in STAGES:
            if stage in LEFT:
                small.fill(LEFT[stage])
                _expect_failure(project, stage)
                small.grow()
            start = time.monotonic()
            project.repro("dvc", "repro", stage)
            if stage in LEFT:
                print(f"   {stage} ran {time.monotonic() - start:.0f} s after there was space")
        _compare(plain, project)


def _expect_failure(project: Checkout, stage: str) -> None:
    done = project.call("dvc", "repro", stage)
    said = [line for line in SAID.findall(done.stdout) if "full" in line or "No space" in line]
    if not done.returncode or not said or "Traceback" in done.stdout:
        raise FaultFound(f"{stage} on a full disk: exit {done.returncode}\n{done.stdout[-3000:]}")
    print(f"   {stage}: {said[0][:150]}")


def _compare(plain: Checkout, project: Checkout) -> None:
    for name in COMPARED:
        one, other = (file_digest(each.folder / name) for each in (plain, project))
        if one != other:
            raise FaultFound(f"{name} differs from that of an undisturbed run")
    counts = [each.run("python", "-c", VERSIONS).strip() for each in (plain, project)]
    if counts[0] != counts[1]:
        raise FaultFound(f"versions and aliases are {counts[1]}, undisturbed {counts[0]}")
    left = [path for path in project.folder.rglob(f"{TEMPORARY}*") if ".venv" not in path.parts]
    if left:
        raise FaultFound(f"temporary files are left: {left}")
    print(f"   same bytes and versions as undisturbed: {counts[0]}")
