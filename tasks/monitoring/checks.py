"""The checks of one site on one day, before the rate of each is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from facenet.monitoring import drift
from facenet.monitoring.check import Check, Verdict
from facenet.monitoring.drift import LEAST
from facenet.monitoring.earlier_days import compare_distributions, compare_medians, compare_shares
from facenet.monitoring.ks import ks
from facenet.monitoring.reference import MAX_ROWS, MEASURES, rounded
from tasks.monitoring.settings import SITE_ROWS, MonitoringSettings
from tasks.monitoring.traffic import Floats, Traffic
from tasks.monitoring.watched import WatchedModel

DECIDING = ("verify", "identify")
LEAST_NO_MATCH = 0.05  # smaller changes of these shares are no alarm
LEAST_FAILED = 0.02
MOSTLY = 0.5  # of the rows; a quantity that fewer have is not compared
# Against the evaluation: its people and cameras are never quite those of a site.
MODEL_LEAST = {"ks": 0.2, "psi": 0.25, "mmd": 0.01}
FACES_WEIGHT = 4  # they are two checks per measure
SEED = 0  # of the bootstrap: the same log gives the same report
EXACT = 10**6  # rows of a share that is stated instead of counted
Run = Callable[[float], list[Check]]


@dataclass(frozen=True)
class Planned:
    """Checks that share a rate of false alarms.

    run: returns them for that rate. tested: the rows suffice. weight: part of the rate of all tests.
    """

    run: Run
    tested: bool
    weight: int = 1


def planned_checks(
    day: Traffic, earlier: Traffic, model: WatchedModel, settings: MonitoringSettings
) -> Iterator[Planned]:
    """Yield the checks of the rows of one site, all of the model that is watched.

    Args:
        day: of the day.
        earlier: of the days before it.
        model: with the reference of its evaluation.
        settings: what to compare with, and how many rows are needed.
    """
    site = uses_site(earlier, model, settings)
    for prefix, title in (("", ""), ("other_", " (right photo)")):
        faces = complete(day, prefix)
        if len(faces) or not prefix:
            usual_faces = face_reference(earlier, model, settings, prefix)
            yield _faces(faces, usual_faces, title, settings, LEAST if site else MODEL_LEAST)
    seen, usual_seen = (rows.where(rows["decision"] != "rejected") for rows in (day, earlier))
    usual = usual_seen.share("no face")
    if model.reference is not None and not site:
        usual = model.reference.no_face, model.reference.photos
    yield _share("no face", seen.share("no face"), usual, LEAST_FAILED, settings)
    yield _share("rejected", day.share("rejected"), earlier.share("rejected"), LEAST_FAILED, settings)
    for kind in DECIDING:
        today = _decided(day.only(kind=kind))
        if len(today):
            before = _decided(earlier.only(kind=kind))
            usual = no_match_share(before, today.usual_threshold(), settings.no_match)
            yield _share(f"no match, {kind}", today.share("no match"), usual, LEAST_NO_MATCH, settings)
            yield _scores(f"score, {kind}", today.numbers("score"), before.numbers("score"), settings)
    yield _latency(day.numbers("latency"), earlier.numbers("latency"), settings)


def complete(rows: Traffic, prefix: str = "") -> Floats:
    """Return the (N, 8) MEASURES of the rows with a face; prefix: "other_" for the right photo."""
    table = rows.table([f"{prefix}{name}" for name in MEASURES])
    return table[np.isfinite(table[:, 0])]


def uses_site(earlier: Traffic, model: WatchedModel, settings: MonitoringSettings) -> bool:
    """Return whether faces are compared with earlier days instead of the model's reference."""
    if settings.against == "auto" and model.reference is not None:
        return len(complete(earlier)) >= SITE_ROWS
    return settings.against == "site" or model.reference is None


def face_reference(
    earlier: Traffic, model: WatchedModel, settings: MonitoringSettings, prefix: str = ""
) -> Floats:
    """Return the rows that faces are compared with: the model's, or some of all earlier days."""
    if model.reference is not None and not uses_site(earlier, model, settings):
        return model.reference.rows
    rows = complete(earlier, prefix)
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(np.intp)
    return rows[chosen]


def unlike_evaluation(day: Traffic, model: WatchedModel) -> list[str]:
    """Return the measures whose distribution is far from the evaluation's; none for few rows."""
    if model.reference is None or len(faces := complete(day)) < SITE_ROWS // 5:
        return []
    found = []
    for place, name in enumerate(MEASURES):
        usual, today = (rows[np.isfinite(rows[:, place]), place] for rows in (model.reference.rows, faces))
        if len(usual) and len(today) and ks(usual, rounded(today)) > MODEL_LEAST["ks"]:
            found.append(name)
    return found


def no_match_share(before: Traffic, threshold: float | None, stated: float | None) -> tuple[int, int]:
    """Return the share of no match to expect: of the earlier rows, at the threshold of today.

    So a threshold that was changed on purpose does not look like other people. stated: the share, instead of
    counting it.
    """
    if stated is not None:
        return round(stated * EXACT), EXACT
    former = before.usual_threshold()
    if threshold is None or former is None or threshold == former:
        return before.share("no match")
    scores = before.numbers("score")
    return int((scores >= threshold).sum()), len(scores)


def _decided(rows: Traffic) -> Traffic:
    return rows.where(np.isin(rows["decision"], ("match", "no match")))


def _faces(
    faces: Floats, reference: Floats, title: str, settings: MonitoringSettings, least: drift.Least
) -> Planned:
    measured = [
        place
        for place in range(len(MEASURES))
        if all(len(rows) and np.isfinite(rows[:, place]).mean() > MOSTLY for rows in (faces, reference))
    ]
    names = [MEASURES[place] for place in measured]
    usual, today = (
        rows[np.isfinite(rows[:, measured]).all(axis=1)][:, measured] for rows in (rounded(reference), faces)
    )

    def run(rate: float) -> list[Check]:
        if not names:
            verdict: Verdict = "too few" if len(faces) < settings.least_rows else "no reference"
            return [Check(name=f"faces{title}", statistic="ks", verdict=verdict, rows=len(faces))]
        found = drift.compare(
            names,
            usual,
            rounded(today),
            rate=rate,
            seed=SEED,
            least_rows=settings.least_rows,
            least=least,
        )
        return [replace(check, name=f"{check.name}{title}") for check in found]

    tested = bool(names) and min(len(usual), len(today)) >= settings.least_rows
    return Planned(run, tested, weight=FACES_WEIGHT)


def _share(
    name: str, day: tuple[int, int], usual: tuple[int, int], least: float, settings: MonitoringSettings
) -> Planned:
    def run(rate: float) -> list[Check]:
        return [compare_shares(name, day, usual, rate=rate, least=least, least_rows=settings.least_rows)]

    return Planned(run, min(day[1], usual[1]) >= settings.least_rows)


def _scores(name: str, day: Floats, usual: Floats, settings: MonitoringSettings) -> Planned:
    def run(rate: float) -> list[Check]:
        return [compare_distributions(name, day, usual, rate=rate, least_rows=settings.least_rows)]

    return Planned(run, min(len(day), len(usual)) >= settings.least_rows)


def _latency(day: Floats, usual: Floats, settings: MonitoringSettings) -> Planned:
    def run(rate: float) -> list[Check]:
        return [compare_medians("latency", day, usual, rate=rate, least_rows=settings.least_rows)]

    return Planned(run, min(len(day), len(usual)) >= settings.least_rows)
