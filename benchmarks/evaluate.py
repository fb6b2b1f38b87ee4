"""Benchmark the protocol against davidsandberg's, embedding against facenet-pytorch: `make bench-evaluate`.

The protocol needs no files: both sides are timed in turn, in processor time of one thread, on the same
6,000 pairs, and the report gives the largest difference of their results. Embedding needs LFW and the
CASIA-WebFace weights in FACENET_MIRRORS; without them its metrics are null and `embedding` gives the reason.
The report is written after each part.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from threadpoolctl import threadpool_limits

from benchmarks import machine, view2
from benchmarks.sides import EMBED_ROUNDS, Side, peer_python
from benchmarks.stage import LFW
from facenet.cores import cores
from facenet.devices import resolve_precision
from facenet.errors import DownloadFailed, SourceInvalid
from facenet.evaluation.distances import Floats, Metric
from facenet.evaluation.protocol import PairRows, Protocol, verify
from tasks.commands.recipes import compose
from tasks.downloads import locate
from tasks.entry import stage_main
from tasks.reports import write_report
from tests.facenet.evaluation import davidsandberg

REPORT = Path("reports") / "benchmarks" / "evaluate.json"
METRICS: tuple[Metric, ...] = ("euclidean_squared", "arccos")
PHOTOS, WIDTH, FOLDS, PER_FOLD = 7701, 512, 10, 600  # of LFW View 2, with a common embedding size
FAR = 1e-3
OUR_ROUNDS = 5  # each takes a hundredth of the other side's time
BATCH = 64  # faces per batch, on both sides
HEADLINE = ("protocol_ratio", "embed_ratio", "accuracy_difference")


def main() -> None:
    """Measure, write reports/benchmarks/evaluate.json after each part, and print the headline."""
    arguments = parse()
    report = Report(REPORT)
    with threadpool_limits(1):  # more would busy-wait for each other, which counts as processor time
        protocol = measure_protocol()
    report.add(protocol_ratio=protocol.pop("ratio"), protocol=protocol)
    if arguments.protocol_only:
        report.add(embedding="skipped by --protocol-only")
    else:
        measure_embedding(arguments, report)
    sys.stdout.write("".join(f"{name}: {report.metrics[name]}\n" for name in HEADLINE))


def parse() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Compare our protocol and embedding with reference implementations."
    )
    add = parser.add_argument
    add("--protocol-only", action="store_true", help="skip the embedding")
    add("--photos", type=int, default=1024, help="faces per round")
    add("--rounds", type=int, default=3)
    add("--speed-only", action="store_true", help="skip the accuracy in bf16")
    add(
        "--workspace",
        type=Path,
        help="folder to keep faces, model and embeddings of View 2 in, for the next run",
    )
    add("--threads", type=int, default=cores(), help="cores available to each side")
    return parser.parse_args()


class Report:
    """The metrics measured so far, stored after each part: a run that is stopped leaves what it has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.metrics: dict[str, Any] = {**dict.fromkeys(HEADLINE), "machine": machine.description()}

    def add(self, **found: Any) -> None:
        """Store and show further metrics."""
        self.metrics |= found
        write_report(self._path, self.metrics)
        say(", ".join(f"{name} {value}" for name, value in found.items() if not isinstance(value, dict)))


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{text}\n")


def measure_protocol() -> dict[str, Any]:
    """Return the speed-up of our protocol over the reference, for both distances with mean subtraction."""
    embeddings, pairs = sample()
    seconds: dict[str, list[float]] = {"ours": [], "grid": [], "theirs": []}
    apart = 0.0
    for metric in METRICS:
        exact = Protocol(metric=metric, subtract_mean=True, sweep="exact", far=FAR)
        grid = Protocol(metric=metric, subtract_mean=True, sweep="grid", far=FAR)
        ours = [timed(lambda p=exact: verify(embeddings, pairs, p).metrics())[0] for _ in range(OUR_ROUNDS)]
        took, found = timed(lambda p=grid: verify(embeddings, pairs, p).metrics())
        say(
            f"protocol, {metric}: exact {statistics.median(ours):.3f} s, grid {took:.3f} s; now the reference"
        )
        theirs, expected = timed(lambda m=metric: literal(embeddings, pairs, m))
        say(f"protocol, {metric}: reference {theirs:.3f} s")
        seconds["ours"].append(statistics.median(ours))
        seconds["grid"].append(took)
        seconds["theirs"].append(theirs)
        apart = max(apart, *(abs(float(found[name] or 0) - value) for name, value in expected.items()))
    total = {side: sum(values) for side, values in seconds.items()}
    return {
        "ratio": round(total["theirs"] / total["ours"], 1),
        "ratio_of_grid": round(total["theirs"] / total["grid"], 1),
        "seconds": {side: round(value, 4) for side, value in total.items()},
        "largest_difference_of_grid": apart,
        "pairs": len(pairs.same),
        "distances": list(METRICS),
    }


def sample() -> tuple[Floats, PairRows]:
    """Return 7,701 points on the sphere, two per person, and 6,000 pairs in ten folds."""
    random = np.random.default_rng(0)
    people = np.repeat(random.normal(0.1, 1, ((PHOTOS + 1) // 2, WIDTH)), 2, axis=0)[:PHOTOS]
    photos = people + random.normal(0, 1.5, people.shape)
    same = np.tile(np.arange(PER_FOLD) < PER_FOLD // 2, FOLDS)
    left = random.integers(0, (PHOTOS - 1) // 2 * 2, len(same))
    other = (left + 2 * random.integers(1, PHOTOS // 4, len(left))) % (PHOTOS - 1)
    fold = np.repeat(np.arange(FOLDS, dtype=np.int32), PER_FOLD)
    pairs = PairRows(left=left, right=np.where(same, left ^ 1, other), same=same, fold=fold)
    return photos / np.linalg.norm(photos, axis=1, keepdims=True), pairs


def literal(embeddings: Floats, pairs: PairRows, metric: Metric) -> dict[str, float]:
    """Return the metrics of the reference implementation, which stores both photos of every pair."""
    one, two = embeddings[pairs.left], embeddings[pairs.right]
    return davidsandberg.evaluate(one, two, pairs, metric, subtract_mean=True, far=FAR)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor seconds of `work`, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def measure_embedding(arguments: argparse.Namespace, report: Report) -> None:
    """Report our embedding rate over the baseline's, and the effect of bf16 on the accuracy of View 2."""
    try:
        locate(LFW)
        locate(yaml.safe_load(compose(*view2.RECIPES))["train"]["init"])
        python = peer_python()
    except (DownloadFailed, SourceInvalid) as missing:
        report.add(embedding=str(missing))
        return
    with tempfile.TemporaryDirectory(prefix="facenet-benchmark-") as folder:
        workspace = arguments.workspace or Path(folder) / "workspace"
        workspace.mkdir(parents=True, exist_ok=True)
        view2.prepare(workspace)
        faces = [str(p) for p in view2.write_faces(workspace, Path(folder) / "faces", arguments.photos)]
        rates = alternate(faces, python, arguments)
        report.add(
            embed_ratio=round(rates["ours"] / rates["peer"], 2),
            images_per_second={side: round(rate, 1) for side, rate in rates.items()},
            photos=len(faces),
            rounds=arguments.rounds,
            threads=arguments.threads,
            embedding="Inception-ResNet-v1, facenet-pytorch 2.5.3's defaults against precision auto",
        )
        measure_accuracy(workspace, arguments, report)


def measure_accuracy(workspace: Path, arguments: argparse.Namespace, report: Report) -> None:
    """Report the accuracy of View 2 in fp32 and bf16, unless bf16 would be emulated, which takes an hour."""
    if arguments.speed_only:
        report.add(accuracy="skipped by --speed-only")
    elif resolve_precision("auto", torch.device("cpu")) != "bf16":
        report.add(accuracy="skipped: this processor does not multiply bfloat16")
    else:
        found: dict[str, float] = {}
        for precision in ("fp32", "bf16"):
            say(f"View 2 in {precision}")
            found[precision] = view2.accuracy(workspace, precision)
            report.add(accuracy=dict(found))
        report.add(accuracy_difference=round(abs(found["bf16"] - found["fp32"]), 6))


def alternate(faces: list[str], python: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Return the median images per second of both sides over alternating rounds, after a warm-up."""
    setting = {"processes": 1, "threads": arguments.threads, "script": EMBED_ROUNDS}
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    with Side("ours", sys.executable, **setting) as ours, Side("peer", python, **setting) as peer:
        sides = {"ours": ours, "peer": peer}
        for side in sides.values():
            side.round(faces[:BATCH], BATCH)
        for number in range(1, arguments.rounds + 1):
            for name, side in sides.items():
                rates[name].append(side.round(faces, BATCH))
                say(f"embedding, round {number} of {arguments.rounds}: {name} {rates[name][-1]:.1f} images/s")
    return {name: statistics.median(values) for name, values in rates.items()}


if __name__ == "__main__":
    stage_main(main)
