"""Benchmark our detector and the align stage against facenet-pytorch 2.5.3: `make bench-align`.

Both sides get the same photos and cores, and their rounds alternate, so that a slowdown of the machine
affects both. The baseline chooses its own threading. Ours runs one single-threaded process per core, as the
stage does, and for comparison one process with all threads.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import machine
from benchmarks.agreement import agreement
from benchmarks.align_table import table
from benchmarks.floor import multiply_adds, peak
from benchmarks.sides import Side, peer_python
from benchmarks.stage import run_stages, spread, write_photos
from facenet.cores import cores
from facenet.detection import runtime_version
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "align.json"
PEER_BATCHES = (16, 32, 64)  # its fastest batch sizes
OUR_BATCH = 32  # photos per job of the stage
COUNTED = 100  # photos for counting multiply-adds
# Name of the measurement, side, photos per batch.
MEASUREMENTS = (
    ("single", "ours", 1),
    ("batched", "ours", OUR_BATCH),
    ("single", "ours_one_process", 1),
    ("batched", "ours_one_process", OUR_BATCH),
    ("single", "peer", 1),
    *((f"batch_{batch}", "peer", batch) for batch in PEER_BATCHES),
)
Rates = dict[str, dict[str, float]]


def main() -> None:
    """Measure, write reports/benchmarks/align.json and print its table."""
    parser = argparse.ArgumentParser(
        description="Compare our detector and align stage with facenet-pytorch 2.5.3."
    )
    add = parser.add_argument
    add(
        "--photos", type=int, nargs="+", default=[1000, 4000, 13233], help="photos per run of the align stage"
    )
    add("--compare", type=int, default=400, help="photos per round, for both detectors")
    add("--rounds", type=int, default=5)
    add("--threads", type=int, default=cores(), help="cores available to each side")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="facenet-benchmark-") as folder:
        metrics = measure(arguments, Path(folder))
    write_report(REPORT, metrics)
    sys.stdout.write(table(metrics))


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return all metrics, in display order."""
    threads = arguments.threads
    data, paths = write_photos(folder / "photos")
    compared = [str(path) for path in spread(paths, arguments.compare)]
    with ExitStack() as stack:
        sides = {
            name: stack.enter_context(side)
            for name, side in {
                "ours": Side("ours", sys.executable, processes=threads, threads=1),
                "ours_one_process": Side("ours", sys.executable, processes=1, threads=threads),
                "peer": Side("peer", peer_python(), processes=1, threads=threads),
            }.items()
        }
        rates = alternate(sides, compared, arguments.rounds)
        agreed = agreement(
            sides["ours"].faces(compared, OUR_BATCH), sides["peer"].faces(compared, PEER_BATCHES[0])
        )
        stages = [
            measure_stage(sides["ours"], spread(paths, count), folder / f"stage-{count}", threads)
            for count in arguments.photos
        ]
        memory = {name: round(side.peak_memory_mb, 1) for name, side in sides.items()}
        baseline_torch = sides["peer"].torch
    ours, peer = rates["ours"], rates["peer"]
    best_batched = max(peer[f"batch_{batch}"] for batch in PEER_BATCHES)
    return {
        "ratio_batched": round(ours["batched"] / best_batched, 2),
        "ratio_single": round(rates["ours_one_process"]["single"] / peer["single"], 2),
        "ratio_single_processes": round(ours["single"] / peer["single"], 2),
        "agreement": {name: round(value, 4) for name, value in agreed.items()},
        "images_per_second": {side: {k: round(v, 1) for k, v in of.items()} for side, of in rates.items()},
        "peak_memory_mb": memory,
        "stage_efficiency": stages[-1]["efficiency"],
        "stages": stages,
        "floor": measure_floor(compared[:COUNTED], ours["batched"], threads),
        "data": data,
        "photos": len(compared),
        "rounds": arguments.rounds,
        "threads": threads,
        "processor": machine.processor(),
        "machine": machine.description(),
        "runtime": runtime_version("cpu"),
        "peer": f"facenet-pytorch 2.5.3, torch {baseline_torch}",
    }


def alternate(sides: dict[str, Side], photos: Sequence[str], rounds: int) -> Rates:
    """Return the median images per second of each measurement over alternating rounds, after a warm-up."""
    for name, side, batch in MEASUREMENTS:
        tqdm.write(f"warm-up: {side} {name}", file=sys.stderr)
        sides[side].round(photos[: 2 * batch], batch)
    found: dict[tuple[str, str], list[float]] = {(side, name): [] for name, side, _ in MEASUREMENTS}
    for _ in tqdm(range(rounds), desc="rounds", unit=" rounds", mininterval=1):
        for name, side, batch in MEASUREMENTS:
            found[side, name].append(sides[side].round(photos, batch))
    rates: Rates = {side: {} for side in sides}
    for (side, name), values in found.items():
        rates[side][name] = statistics.median(values)
    return rates


def measure_stage(ours: Side, photos: Sequence[Path], workspace: Path, threads: int) -> dict[str, Any]:
    """Return time and memory of the align stage on `photos`, and the detector's rate before and after."""
    workspace.mkdir()
    names = [str(path) for path in photos]
    before = ours.round(names, OUR_BATCH)
    report = run_stages(workspace, photos, threads)
    after = ours.round(names, OUR_BATCH)
    rate, alone = report["images"] / report["seconds"], statistics.fmean((before, after))
    return {
        "photos": report["images"],
        "seconds": report["seconds"],
        "images_per_second": round(rate, 1),
        "detector_images_per_second": round(alone, 1),
        "detector_before_and_after": [round(before, 1), round(after, 1)],
        "efficiency": round(rate / alone, 3),
        "peak_memory_mb": report["peak_memory_mb"],
    }


def measure_floor(photos: Sequence[str], rate: float, threads: int) -> dict[str, Any]:
    """Return the images per second that peak arithmetic would allow, and the fraction that we reach."""
    counted, peaks = multiply_adds(photos), peak(threads)
    possible = max(peaks.values()) / sum(counted.values())
    return {
        "million_multiply_adds_per_photo": {name: round(value / 1e6, 1) for name, value in counted.items()},
        "billion_multiply_adds_per_second": {name: round(value / 1e9, 1) for name, value in peaks.items()},
        "images_per_second": round(possible, 1),
        "share_reached": round(rate / possible, 3),
    }


if __name__ == "__main__":
    stage_main(main)
