"""The cost of a small change after a large run, and whether the output equals that of a run from scratch.

`make bench-incremental` runs ingest and align in separate processes: on LFW without some photos, with them,
again without changes, and from scratch. Then it runs align with another margin, and on a Dask cluster of two
workers, one of which is killed half-way.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.stage import ROOT, link_photos, run_stage, spread, write_params, write_photos
from tasks.align.detection_cache import PART_ROWS
from tasks.entry import stage_main
from tasks.reports import write_report
from tasks.workers.team import SCHEDULER
from tests.tasks.dask_processes import DaskProcesses

REPORT = Path("reports") / "benchmarks" / "incremental.json"
STAGES, OUTPUTS = ("ingest", "align"), ("raw", "aligned")
Seconds = dict[str, float]


def main() -> None:
    """Measure, write reports/benchmarks/incremental.json and print its lines."""
    parser = argparse.ArgumentParser(description="Measure the cost of a small change after a large run.")
    add = parser.add_argument
    add("--added", type=int, default=132, help="photos added after the first run")
    add("--photos", type=int, default=13233, help="photos in total")
    add("--cluster", action="store_true", help="also align on two Dask workers, and kill one half-way")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="facenet-benchmark-") as folder:
        metrics = measure(Path(folder), arguments.photos, arguments.added, cluster=arguments.cluster)
    write_report(REPORT, metrics)
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in metrics.items()))


def measure(folder: Path, photos: int, added: int, *, cluster: bool) -> dict[str, Any]:
    """Return seconds, ratios and whether the bytes are equal, in display order."""
    data, paths = write_photos(folder / "all")
    chosen = spread(paths, photos)
    late = set(spread(chosen, added))
    growing, scratch = folder / "growing", folder / "scratch"
    prepare(growing, [path for path in chosen if path not in late])
    seconds = {"before": run(growing)}
    link_photos(growing, sorted(late))
    seconds["added"] = run(growing)
    seconds["nothing_new"] = run(growing)
    prepare(scratch, chosen)
    seconds["scratch"] = run(scratch)
    same = digests(growing) == digests(scratch)
    write_params(scratch, margin=32)
    seconds["another_margin"] = {"align": run_stage(scratch, "align")}
    total = {name: sum(stages.values()) for name, stages in seconds.items()}
    return {
        "added_share": round((total["added"] - total["nothing_new"]) / total["scratch"], 4),
        "same_bytes_as_scratch": same,
        "another_margin_ratio": round(seconds["scratch"]["align"] / total["another_margin"], 2),
        "seconds": {n: {s: round(v, 1) for s, v in stages.items()} for n, stages in seconds.items()},
        **(on_cluster(folder, growing, len(chosen)) if cluster else {}),
        "data": data,
        "photos": len(chosen),
        "added": len(late),
        "machine": machine.description(),
    }


def prepare(workspace: Path, photos: list[Path]) -> None:
    """Create a fresh workspace with these photos."""
    workspace.mkdir()
    link_photos(workspace, photos)
    write_params(workspace)


def run(workspace: Path) -> Seconds:
    """Run both stages like DVC, which removes their outputs first, and return the seconds of each."""
    for output in OUTPUTS:
        shutil.rmtree(workspace / "data" / output, ignore_errors=True)
    return {stage: run_stage(workspace, stage) for stage in STAGES}


def digests(workspace: Path, *outputs: str) -> dict[str, str]:
    """Return the sha256 of every file in the given outputs below data, of both stages by default."""
    folders = [workspace / "data" / output for output in outputs or OUTPUTS]
    files = [path for folder in folders for path in folder.iterdir()]
    return {str(p.relative_to(workspace)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def on_cluster(folder: Path, local: Path, photos: int) -> dict[str, Any]:
    """Align on two workers with empty caches, kill one half-way, and compare with `local`."""
    workspace = folder / "cluster"
    (workspace / "data").mkdir(parents=True)
    (workspace / "data" / "raw").symlink_to(local / "data" / "raw")
    shutil.copy(local / "params.yaml", workspace)
    cluster = DaskProcesses(folder, ROOT)
    killed: list[int] = []
    halfway = max(1, photos // PART_ROWS // 2)
    threading.Thread(target=kill_one, args=(cluster, workspace, halfway, killed), daemon=True).start()
    try:
        seconds = run_stage(workspace, "align", **{SCHEDULER: cluster.address})
    finally:
        cluster.end()
    return {
        "cluster_same_bytes": digests(workspace, "aligned") == digests(local, "aligned"),
        "cluster_workers_killed": len(killed),
        "cluster_seconds": round(seconds, 1),
    }


def kill_one(cluster: DaskProcesses, workspace: Path, parts: int, killed: list[int]) -> None:
    """Send SIGKILL to a worker once `parts` files of detections exist, and append its pid to `killed`."""
    while len(list((workspace / "data" / "cache").glob("detections-*/part-*.arrow"))) < parts:
        time.sleep(0.1)
    victim = cluster.working()[0]
    victim.kill()
    killed.append(victim.pid)


if __name__ == "__main__":
    stage_main(main)
