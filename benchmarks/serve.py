"""Benchmark `facenet serve` against `mlflow models serve` of the same model: `make bench-serve`.

Both servers answer the same verifications of two photos, one pair per request as JSON with base64,
from 1, 8 and 32 clients that send the next request when they have an answer. They run on the same cores, and
are measured in turn, so that a busy machine slows down all. MLflow is started as our tutorial does, with
one worker, and again with one worker for each core, which is reported as well. The photos are of LFW if it is
in FACENET_MIRRORS, and the bundled AT&T/ORL faces otherwise.
"""

import argparse
import base64
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import machine
from benchmarks.serve_servers import Rival, facenet_serve, mlflow_serve, save_model
from benchmarks.stage import spread, write_photos
from facenet import pretrained
from facenet.cores import cores
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "serve.json"
CLIENTS = (1, 8, 32)
MEMORY_REQUESTS = 2000
WARM = 500  # requests before memory is measured; the first ones allocate buffers for batches of each size
Bodies = list[tuple[str, str]]
HEADLINE = ("ratio_8_clients", "p99_ms", "growth_mb")


def main() -> None:
    """Measure, write reports/benchmarks/serve.json and print the headline."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        photos, bodies = pairs_of(folder / "photos", arguments.pairs)
        files = (arguments.model or pretrained.folder()).absolute()
        model = save_model(folder / "model", files)
        ours = stack.enter_context(facenet_serve(folder, files, "--runtime", arguments.runtime))
        rivals = {
            "mlflow": stack.enter_context(mlflow_serve(folder, model, workers=1)),
            "mlflow_workers": stack.enter_context(mlflow_serve(folder, model, workers=cores())),
        }
        found = measure(ours, rivals, bodies, arguments.rounds)
        report = summary(found) | {
            "photos": photos,
            "runtime": arguments.runtime,
            "pairs": len(bodies),
            "machine": machine.description(),
        }
        write_report(REPORT, report)  # a run that is stopped leaves what it has
        report["growth_mb"] = growth_mb(ours, bodies, arguments.requests)
        write_report(REPORT, report)
    sys.stdout.write("".join(f"{name}: {report[name]}\n" for name in HEADLINE))


def parse() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Compare facenet serve with mlflow models serve.")
    add = parser.add_argument
    add("--model", type=Path, help="folder of an evaluated model (default: the pretrained one)")
    add("--runtime", default="auto", help="of facenet serve, as its option --runtime (default: auto)")
    add("--pairs", type=int, default=96, help="pairs per round")
    add("--rounds", type=int, default=3)
    add("--requests", type=int, default=MEMORY_REQUESTS, help="while memory is watched")
    return parser.parse_args()


def pairs_of(folder: Path, count: int) -> tuple[str, Bodies]:
    """Return the name of the photos, and `count` pairs of them in base64; no photo is in two pairs."""
    name, paths = write_photos(folder)
    encoded = [base64.b64encode(path.read_bytes()).decode() for path in spread(paths, 2 * count)]
    return name, list(zip(encoded[::2], encoded[1::2], strict=True))


def measure(ours: Rival, rivals: dict[str, Rival], bodies: Bodies, rounds: int) -> dict[str, Any]:
    """Return the seconds of each request, and throughputs, by server and number of clients."""
    servers = {"facenet": ours, **rivals}
    for name, server in servers.items():
        tqdm.write(f"warm-up: {name}", file=sys.stderr)
        play(server, bodies[: 2 * max(CLIENTS)], 8)
    found: dict[str, Any] = {name: {clients: ([], []) for clients in CLIENTS} for name in servers}
    for _ in tqdm(range(rounds), desc="rounds", unit=" rounds", mininterval=1):
        for clients in CLIENTS:
            for name, server in servers.items():
                rate, seconds = play(server, bodies, clients)
                found[name][clients][0].append(rate)
                found[name][clients][1].extend(seconds)
    return found


def play(server: Rival, bodies: Bodies, clients: int) -> tuple[float, list[float]]:
    """Verify each pair once by concurrent clients; return requests per second and the seconds of each."""
    parts = [bodies[number::clients] for number in range(clients)]
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = [value for part in pool.map(server.verify_all, parts) for value in part]
    return len(bodies) / (time.perf_counter() - started), seconds


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Return medians of throughput, quantiles of latency, and our ratios to the others."""
    rates = {
        name: {clients: statistics.median(values[0]) for clients, values in levels.items()}
        for name, levels in found.items()
    }
    latencies = {
        name: {str(clients): quantiles(values[1]) for clients, values in levels.items()}
        for name, levels in found.items()
    }
    ratios = {
        name: {
            str(clients): round(rates["facenet"][clients] / rates[name][clients], 2) for clients in CLIENTS
        }
        for name in rates
        if name != "facenet"
    }
    return {
        "ratio_8_clients": ratios["mlflow"]["8"],
        "p99_ms": latencies["facenet"]["8"]["p99"],
        "growth_mb": None,
        "ratios": ratios,
        "requests_per_second": {
            name: {str(clients): round(rate, 2) for clients, rate in levels.items()}
            for name, levels in rates.items()
        },
        "milliseconds": latencies,
    }


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Return median and 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50": round(cuts[49] * 1000, 1), "p99": round(cuts[98] * 1000, 1)}


def growth_mb(server: Rival, bodies: Bodies, requests: int) -> float:
    """Return by how many MB the server's memory grows in `requests`, after it has warmed up."""
    play(server, (bodies * (WARM // len(bodies) + 1))[:WARM], 8)
    before = server.memory_mb()
    play(server, (bodies * (requests // len(bodies) + 1))[:requests], 8)
    return round(server.memory_mb() - before, 1)


if __name__ == "__main__":
    stage_main(main)
