"""Whether monitoring finds changes within a day of 500 requests, and how often it alarms without one.

`make bench-monitoring` enrols one photo of each person of LFW who has several, and simulates days of 500
requests: other photos of enrolled people, and 10 % photos of people who are not enrolled, identified by the
model. After a week of such days, 30 days without a change are checked, and a day of each change: brightness
x 0.5, JPEG quality 20, a camera of 0.6 times the pixels per side, 30 % strangers, and another model's digest.
The photos are really changed, and go through the FaceModel.
Results are written to reports/benchmarks/monitoring.json and printed.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.monitoring_faces import CHANGES, FacesOf, changed_faces, lfw_photos
from benchmarks.stage import spread
from facenet import Face, FaceModel, PhotoError
from facenet.identification.identifier import Identifier
from facenet.identification.people import EnrolledPeople
from tasks.entry import stage_main
from tasks.monitoring.day import watch_day
from tasks.monitoring.rows import NO_FACE, DecisionRow, failure_row, identification_row
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.watched import WatchedModel
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "monitoring.json"
FOLDER = Path(".dvc") / "tmp" / "monitoring"
REQUESTS, STRANGERS = 500, 0.1
WEEK, DAYS = 7, 30
STEPS = (50, 100, 200, 300, 400, 500)  # requests after which the day is checked
FIRST = date(2026, 1, 1)
PHOTOS, CHANGED_PHOTOS = 3000, 800  # of LFW as it is, and of each change


@dataclass(frozen=True)
class Traffic:
    """Photos after a change, and which of them show somebody who is enrolled, and somebody who is not."""

    found: FacesOf
    enrolled: list[int]
    strangers: list[int]


class Simulation:
    """Rows of made-up days.

    Args:
        model: that answers.
        folder: of photos and faces.
        seed: of the choice of photos.
    """

    def __init__(self, model: FaceModel, folder: Path, seed: int) -> None:
        assert model.matcher is not None
        self._model, self._rng = model, np.random.default_rng(seed)
        photos = spread(lfw_photos(folder), PHOTOS)
        clean = changed_faces(model, photos, "clean", folder)
        first = _first_photos(clean)
        self._names = [clean.people[row] for row in first]
        templates = np.stack([clean.faces[row].template for row in first])  # type: ignore[union-attr]
        owners = np.arange(len(first))
        self._gallery = EnrolledPeople(templates, owners, self._names, model.matcher.metric)
        self._identifier = Identifier(model.matcher)
        others = sorted(set(range(len(photos))) - set(first))
        self._traffic = {"clean": self._split(clean.take(others))}
        changed = spread([photos[row] for row in others], CHANGED_PHOTOS)
        for change in CHANGES:
            if change != "clean":
                self._traffic[change] = self._split(changed_faces(model, changed, change, folder))

    def rows(self, day: date, change: str = "clean", strangers: float = STRANGERS) -> list[DecisionRow]:
        """Return a day's requests in the order of their times."""
        traffic = self._traffic[change]
        unknown = self._rng.random(REQUESTS) < strangers
        chosen = [int(self._rng.choice(traffic.strangers if new else traffic.enrolled)) for new in unknown]
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        seconds = np.sort(self._rng.uniform(0, 86_399, REQUESTS)).tolist()
        return [
            self._row(traffic.found.faces[row], start + timedelta(seconds=second))
            for row, second in zip(chosen, seconds, strict=True)
        ]

    def _row(self, face: Face | None, time: datetime) -> DecisionRow:
        around: dict[str, Any] = {"time": time, "latency": float(self._rng.lognormal(3, 0.4))}
        if face is None or face.template is None:
            return failure_row(self._model, PhotoError(NO_FACE, ""), kind="identify", **around)
        (answer,) = self._gallery.identify(face.template[None], self._identifier)
        return identification_row(self._model, face, answer, **around)

    def _split(self, found: FacesOf) -> Traffic:
        known, enrolled, strangers = set(self._names), [], []
        for row, name in enumerate(found.people):
            (enrolled if name in known else strangers).append(row)
        return Traffic(found, enrolled, strangers)


def _first_photos(clean: FacesOf) -> list[int]:
    """Return the row of the first photo of each person with several photos."""
    rows_of: dict[str, list[int]] = {}
    for row, (name, face) in enumerate(zip(clean.people, clean.faces, strict=True)):
        if face is not None:
            rows_of.setdefault(name, []).append(row)
    return [rows[0] for rows in rows_of.values() if len(rows) > 1]


def main() -> None:
    """Simulate, and write and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the first simulation; default: 0")
    add("--seeds", type=int, default=3, help="number of simulations; default: 3")
    add("--model", default="pretrained", help="as FaceModel.load takes it; default: pretrained")
    add("--folder", type=Path, default=FOLDER, help="folder of photos and faces")
    add("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    model, settings = FaceModel.load(options.model, site=False), MonitoringSettings()
    watched = WatchedModel(model.digest, model.origin, model.reference)
    seeds = range(options.seed, options.seed + options.seeds)
    runs = {str(seed): simulate(Simulation(model, options.folder, seed), watched, settings) for seed in seeds}
    days = DAYS * len(runs)
    false_alarms = sum(len(run["false_alarms"]) for run in runs.values())
    report = {
        "machine": machine.description(),
        "model": model.origin,
        "requests": REQUESTS,
        "stated_rate": settings.rate,
        "days": days,
        "false_alarms": false_alarms,
        "false_alarm_rate": false_alarms / days,
        "found_after_requests": _latest([run["found_after_requests"] for run in runs.values()]),
        "seeds": runs,
    }
    write_report(options.report, report)
    print(json.dumps({name: report[name] for name in report if name != "seeds"}, indent=1))


def simulate(simulation: Simulation, watched: WatchedModel, settings: MonitoringSettings) -> dict[str, Any]:
    """Return the false alarms of the days without a change, and after how many requests changes are found."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "decisions.db"
        store, false_alarms = DecisionStore.open(log), []
        for number in range(WEEK + DAYS):
            day = FIRST + timedelta(days=number)
            store.append(simulation.rows(day))
            if number >= WEEK and (alarms := watch_day(store, watched, day, settings)["alarms"]):
                false_alarms.append({"day": str(day), "alarms": alarms})
            sys.stderr.write(f"{day}: {len(false_alarms)} false alarms\n")
        store.close()
        found: dict[str, Any] = {}
        for name, rows in _changed_days(simulation, FIRST + timedelta(days=WEEK + DAYS)):
            copy = Path(folder) / f"{name}.db"
            shutil.copyfile(log, copy)
            found[name] = _found_after(copy, rows, watched, settings)
            sys.stderr.write(f"{name}: {found[name]}\n")
    return {
        "false_alarms": false_alarms,
        "found_after_requests": {name: entry["requests"] for name, entry in found.items()},
        "first_alarm": {name: entry["alarm"] for name, entry in found.items()},
    }


def _changed_days(simulation: Simulation, day: date) -> Iterator[tuple[str, list[DecisionRow]]]:
    for change in CHANGES:
        if change != "clean":
            yield change, simulation.rows(day, change)
    yield "strangers", simulation.rows(day, strangers=0.3)
    yield "model", [replace(row, model="0" * 64) for row in simulation.rows(day)]


def _found_after(
    log: Path, rows: list[DecisionRow], watched: WatchedModel, settings: MonitoringSettings
) -> dict[str, Any]:
    """Return after how many of a day's rows there is an alarm, and the first one; None if there is none."""
    store, done = DecisionStore.open(log), 0
    day = date.fromisoformat(rows[0].time[:10])
    try:
        for step in STEPS:
            store.append(rows[done:step])
            done = step
            if alarms := watch_day(store, watched, day, settings)["alarms"]:
                return {"requests": step, "alarm": alarms[0]}
    finally:
        store.close()
    return {"requests": None, "alarm": None}


def _latest(runs: list[dict[str, int | None]]) -> dict[str, int | None]:
    """Return for each change the largest number of requests of all simulations; None if one missed it."""
    found = {name: [run[name] for run in runs] for name in runs[0]}
    return {
        name: None if None in counts else max(count for count in counts if count is not None)
        for name, counts in found.items()
    }


if __name__ == "__main__":
    stage_main(main)
