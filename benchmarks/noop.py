"""A flow run in which nothing has changed, next to six `dvc repro --single-item` and Prefect's start.

`make bench-noop` needs a workspace that is up to date and the servers of `make up`, whose addresses are in
the environment (`source .services/env`). The three take turns; the ratio is that of the medians.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import machine
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "noop.json"
STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")
EMPTY_FLOW = "from prefect import flow\nflow(lambda: None, name='empty')()"
PYTHON = sys.executable
SIDES = {
    "six_dvc_repro": [[PYTHON, "-m", "dvc", "repro", "--single-item", stage] for stage in STAGES],
    "empty_flow": [[PYTHON, "-c", EMPTY_FLOW]],
    "training_flow": [[PYTHON, "-m", "flows.training"]],
}


def main() -> None:
    """Measure, write reports/benchmarks/noop.json and print its lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    for _ in range(rounds):
        for name, commands in SIDES.items():
            seconds[name].append(run(commands))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    metrics = {
        "ratio": round(medians["training_flow"] / (medians["six_dvc_repro"] + medians["empty_flow"]), 3),
        "seconds": {name: round(value, 2) for name, value in medians.items()},
        "rounds": rounds,
        "machine": machine.description(),
    }
    write_report(REPORT, metrics)
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in metrics.items()))


def run(commands: list[list[str]]) -> float:
    """Return the seconds that the commands take one after the other; any failure is an error."""
    start = time.monotonic()
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - start


if __name__ == "__main__":
    stage_main(main)
