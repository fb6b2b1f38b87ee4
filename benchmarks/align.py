"""Our detector and the align stage against facenet-pytorch 2.5.3, in turn in one run: `make bench-align`.

Both sides get the same photos and the same cores, and their rounds alternate, so that a machine that slows
down does so for both. The peer uses its threads as it likes. Ours runs one process of one thread per core,
as the stage does, and for comparison as one process with all threads.
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
from facenet.detection import runtime_version
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "align.json"
PEER_BATCHES = (16, 32, 64)  # the counts at which it is best
OUR_BATCH = 32  # photos of a job of the stage
COUNTED = 100  # photos whose multiply-adds are counted
# Name of a measurement, side, photos at a time.
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
        description="Our detector and align stage against facenet-pytorch 2.5.3."
    )
    add = parser.add_argument
    add("--photos", type=int, nargs="+", default=[1000, 4000, 13233], help="of each run of the align stage")
    add("--compare", type=int, default=400, help="photos that both detectors search in every round")
    add("--rounds", type=int, default=5)
    add("--threads", type=int, default=machine.cores(), help="cores that either side may use")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="facenet-benchmark-") as folder:
        metrics = measure(arguments, Path(folder))
    write_report(REPORT, metrics)
    sys.stdout.write(table(metrics))


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return all metrics, in the order in which they are read."""
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
        torch_of_peer = sides["peer"].torch
    ours, peer = rates["ours"], rates["peer"]
    best_batched = max(peer[f"batch_{batch}"] for batch in PEER_BATCHES)
    return {
        "ratio_batched": round(ours["batched"] / best_batched, 2),
        "ratio_single": round(rates["ours_one_process"]["single"] / peer["single"], 2),
        "ratio_single_processes": round(ours["single"] / peer["single"], 2),
        "agreement": {name: round(share, 4) for name, share in agreed.items()},
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
        "peer": f"facenet-pytorch 2.5.3, torch {torch_of_peer}",
    }


def alternate(sides: dict[str, Side], photos: Sequence[str], rounds: int) -> Rates:
    """Return the median images per second of each measurement over `rounds` in turn, after a warm-up."""
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
    """Return what the align stage costs for `photos`, and the detector alone, before and after it."""
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
    """Return the rate at which the multiply-adds of the networks alone would run, and our share of it."""
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
