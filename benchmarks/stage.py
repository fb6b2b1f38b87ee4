"""Run ingest and align like a user, in separate processes in a temporary workspace."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from facenet.errors import DownloadFailed
from tasks.downloads import locate
from tasks.ingest.archives import members
from tasks.ingest.sources import Opening, open_source
from tasks.params.sources import OrlSource
from tasks.reports import read_report

ROOT = Path(__file__).parent.parent
LFW = "lfw-deepfunneled.tgz"
MAX_FILE_BYTES = 2**24


def write_photos(folder: Path) -> tuple[str, list[Path]]:
    """Write all photos of LFW, or ORL if LFW is missing, below `folder`; return the name and the paths."""
    try:
        name, archive = "LFW deep-funneled", locate(LFW)
        files = members(archive, MAX_FILE_BYTES)
    except DownloadFailed:
        orl = open_source(OrlSource(kind="orl"), Opening(folder))
        name, files = "ORL", orl.files(MAX_FILE_BYTES)
    paths = []
    for member in files:
        if member.data is not None and member.path.endswith((".jpg", ".pgm")):
            path = folder.joinpath(*member.path.split("/")[-2:])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(member.data)
            paths.append(path)
    return name, sorted(paths)


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return `count` of the paths at equal steps, or all if there are fewer."""
    count = min(count, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]


def run_stages(workspace: Path, photos: Sequence[Path], workers: int) -> dict[str, Any]:
    """Ingest and align `photos` in the empty folder `workspace`; return the metrics of the align report."""
    link_photos(workspace, photos)
    write_params(workspace)
    for stage in ("ingest", "align"):
        run_stage(workspace, stage, FACENET_WORKERS=str(workers))
    return read_report(workspace / "reports" / "align.json")


def link_photos(workspace: Path, photos: Sequence[Path]) -> None:
    """Link `photos` into the folders per person that the stages read."""
    for path in photos:
        link = workspace / "photos" / path.parent.name / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)


def write_params(workspace: Path, **align: Any) -> None:
    """Write the project's params.yaml for these photos, with `align` changed."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["base"]["device"] = "cpu"
    source = {"kind": "folder", "path": str(workspace / "photos"), "role": "evaluate"}
    params["ingest"]["sources"] = [source]
    params["align"] |= align
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))


def run_stage(workspace: Path, stage: str, **environment: str) -> float:
    """Run one stage in a separate process and return its seconds, including start-up."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", f"tasks.{stage}"],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=True,
    )
    return time.perf_counter() - began
