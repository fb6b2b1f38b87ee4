"""Search, loading and enrolment in large galleries, next to plain NumPy and FAISS: `make bench-gallery`.

Each size is measured in a process of its own, on a real SQLite gallery, with one thread and with all. A
search of the gallery includes the query to the store that notices changes of other processes. The sides take
turns, query by query; times are medians.

Templates are simulated: vectors drawn at random have no neighbours, and an approximate index finds nothing in
them. A person is a centre and each photo the centre plus noise, both Gaussian with variances that decay
exponentially over the axes of one random rotation. Decay and variances are those of the CASIA-WebFace weights
on all 13,233 photos of LFW, measured with single, centred, unit-length embeddings: participation ratio
(sum of variances)^2 / (sum of squares) 55 between people and 65 within a person, mean cosine of two photos of
a person 0.68, standard deviation of the cosine of two people 0.14. Half of the queries are new photos of
enrolled people, half show others.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import psutil
from sqlalchemy import insert, update
from threadpoolctl import threadpool_limits

from benchmarks import machine
from facenet.cores import cores
from service.gallery import Enrolment, Gallery
from service.gallery.approximate import Approximate
from service.gallery.schema import info, people, photos
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "gallery.json"
SIZES, DIMENSIONS, PHOTOS = (100_000, 1_000_000), 512, 4  # photos per person
BETWEEN, WITHIN, COSINE = 55, 65, 0.68
BATCH, SINGLES, BATCHES, RECALL_QUERIES, ENROLMENTS = 64, 40, 5, 1000, 50
CHUNK = 20_000
MODEL = "b" * 64
Rows = npt.NDArray[np.float32]


def main() -> None:
    """Measure both sizes, write reports/benchmarks/gallery.json, and print the headline."""
    options = parse()
    if options.size:  # the child process of one size
        sys.stdout.write(json.dumps(measure(options.size, options.folder)))
        return
    found = {}
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="facenet-benchmark-", dir=options.folder) as folder:
            command = [sys.executable, "-m", "benchmarks.gallery", "--size", str(size), "--folder", folder]
            found[f"{size:_}"] = json.loads(
                subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            )
    first, last = found[f"{options.sizes[0]:_}"], found[f"{options.sizes[-1]:_}"]
    headline = {
        "ratio_to_flat_1e5": first["ratio_to_flat"],
        "recall_at_1": last["recall_at_1"],
        "megabytes": last["megabytes"],
        "rebuild_seconds": last["rebuild_seconds"],
    }
    report = {**headline, "sizes": found, "machine": machine.description()}
    write_report(REPORT, report)
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in headline.items()))


def parse() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Measure the gallery against NumPy and FAISS.")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="templates in a gallery")
    parser.add_argument("--folder", type=Path, help="on a disk with room for 3 kB per template")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(size: int, folder: Path) -> dict[str, Any]:
    """Return everything about a gallery of this size."""
    simulation = Simulation()
    path = folder / "gallery.db"
    fill(path, simulation, size)
    say(f"{size} templates, {path.stat().st_size / 2**20:.0f} MB in the store")
    queries = simulation.queries(RECALL_QUERIES)
    before = psutil.Process().memory_info().rss
    with threadpool_limits(1):
        faiss.omp_set_num_threads(1)
        gallery = Gallery.open(path, model_digest=MODEL, template_size=DIMENSIONS)
        rebuild = seconds(gallery.snapshot)
    megabytes = (psutil.Process().memory_info().rss - before) / 2**20
    say(f"loaded in {rebuild:.1f} s")
    index = Approximate("cosine")
    index.search(gallery.snapshot(), queries[:1], 1)
    index.wait()
    assert index.built is not None
    say(f"index: {index.built}")
    exact = gallery.search(queries, exact=True).rows[:, 0]
    near = index.search(gallery.snapshot(), queries, 1)
    assert near is not None
    return {
        **times(gallery, index, queries),
        "recall_at_1": round(float(np.mean(near.rows[:, 0] == exact)), 4),
        "recall_of_enrolled": round(float(np.mean((near.rows[:, 0] == exact)[::2])), 4),
        "rebuild_seconds": round(rebuild, 2),
        "megabytes": round(megabytes),
        "store_megabytes": round(path.stat().st_size / 2**20),
        "index_seconds": index.built.seconds,
        "index_megabytes": index.built.megabytes,
        "enrol_ms": round(1000 * enrolment(gallery, simulation), 2),
    }


class Simulation:
    """Templates of people; see the docstring of the module."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        axes = self._random.normal(size=(DIMENSIONS, 200))
        self._rotation = np.linalg.qr(axes)[0].T.astype(np.float32)
        self._between = self._scale(BETWEEN, COSINE)
        self._within = self._scale(WITHIN, 1 - COSINE)
        self._people = np.empty((0, 200), np.float32)

    @staticmethod
    def _scale(participation: float, variance: float) -> Rows:
        # A decay exp(-k / t) has the participation ratio 2 t.
        variances = np.exp(-np.arange(200) / (participation / 2))
        return np.sqrt(variances * variance / variances.sum()).astype(np.float32)

    def templates(self, size: int) -> Iterator[Rows]:
        """Yield (CHUNK, 512) templates of new people, PHOTOS each."""
        for start in range(0, size, CHUNK):
            rows = min(CHUNK, size - start)
            centres = self._random.standard_normal((rows // PHOTOS, 200), np.float32) * self._between
            self._people = np.concatenate([self._people, centres[:200]])
            yield self._photos(np.repeat(centres, PHOTOS, axis=0))

    def queries(self, number: int) -> Rows:
        """Return a new photo of an enrolled person at every even place, of somebody else at the others."""
        centres = self._random.standard_normal((number, 200), np.float32) * self._between
        chosen = self._random.integers(0, len(self._people), len(centres[::2]))
        centres[::2] = self._people[chosen]
        return self._photos(centres)

    def _photos(self, centres: Rows) -> Rows:
        noise = self._random.standard_normal(centres.shape, np.float32) * self._within
        photos: Rows = (centres + noise) @ self._rotation
        return photos / np.linalg.norm(photos, axis=1, keepdims=True)


def fill(path: Path, simulation: Simulation, size: int) -> None:
    """Create a gallery, and write people straight into its tables: by `enrol` it would take an hour."""
    with Gallery.open(path, model_digest=MODEL, template_size=DIMENSIONS) as gallery:
        number, person = count(1), count(1)
        for chunk in simulation.templates(size):
            owners = [next(person) for _ in range(len(chunk) // PHOTOS)]
            names = [{"id": n, "key": f"person{n}", "name": f"Person {n}", "version": 2} for n in owners]
            rows = [_row(next(number), owners[place // PHOTOS], row) for place, row in enumerate(chunk)]
            with gallery._store.changing() as connection:
                connection.execute(insert(people), names)
                connection.execute(insert(photos), rows)
                connection.execute(update(info).values(version=2))


def _row(number: int, owner: int, template: Rows) -> dict[str, Any]:
    return {
        "id": number,
        "person_id": owner,
        "version": 2,
        "sha256": number.to_bytes(32),
        "enrolled_by": "benchmark",
        "enrolled_at": "2026-01-01T00:00:00+00:00",
        "template": template.tobytes(),
    }


def times(gallery: Gallery, index: Approximate, queries: Rows) -> dict[str, Any]:
    """Return milliseconds per query of all sides, single and in batches, with one thread and with all."""
    snapshot = gallery.snapshot()
    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(snapshot.templates)
    sides: dict[str, Callable[[Rows], Any]] = {
        "ours": lambda asked: gallery.search(asked, exact=True),
        "numpy": lambda asked: (asked @ snapshot.templates.T).argmax(axis=1),
        "faiss_flat": lambda asked: flat.search(asked, 1),
        "approximate": lambda asked: index.search(gallery.snapshot(), asked, 1),
    }
    found: dict[str, Any] = {"ms_per_query": {}}
    for threads in sorted({1, cores()}):
        faiss.omp_set_num_threads(threads)
        with threadpool_limits(threads, user_api="blas"):
            single = alternate(sides, [queries[n : n + 1] for n in range(SINGLES)])
            batch = alternate(sides, [queries[n * BATCH :][:BATCH] for n in range(BATCHES)])
        found["ms_per_query"][f"threads_{threads}"] = {"single": single, "in_64s": batch}
        say(f"{threads} threads: single {single}, in 64s {batch}")
    one = found["ms_per_query"]["threads_1"]["single"]
    return {"ratio_to_flat": round(one["ours"] / one["faiss_flat"], 3), **found}


def alternate(sides: dict[str, Callable[[Rows], Any]], parts: list[Rows]) -> dict[str, float]:
    """Return the median milliseconds per query of each side, which take turns, after a warm-up."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number, asked in enumerate([parts[0], *parts]):
        for name, search in sides.items():
            spent = seconds(lambda search=search, asked=asked: search(asked))  # type: ignore[misc]
            if number:
                taken[name].append(1000 * spent / len(asked))
    return {name: round(statistics.median(spent), 3) for name, spent in taken.items()}


def enrolment(gallery: Gallery, simulation: Simulation) -> float:
    """Return the median seconds of enrolling a new person with one photo, durably."""
    rows = next(simulation.templates(CHUNK))[::PHOTOS]
    entries = [Enrolment.of(bytes([number]), rows[number]) for number in range(ENROLMENTS)]
    return statistics.median(
        seconds(lambda n=number, e=entry: gallery.enrol(f"New {n}", [e], by="me"))  # type: ignore[misc]
        for number, entry in enumerate(entries)
    )


def seconds(work: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    stage_main(main)
