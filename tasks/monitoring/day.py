"""Compare a day of the log with the reference of the model and with the days before it."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from facenet.monitoring.check import Check
from facenet.monitoring.reference import MEASURES
from tasks.monitoring.checks import (
    Planned,
    complete,
    face_reference,
    planned_checks,
    unlike_evaluation,
    uses_site,
)
from tasks.monitoring.settings import MonitoringSettings
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.traffic import Floats, Traffic
from tasks.monitoring.watched import WatchedModel

FORMAT = 1
BINS = 24  # of the histograms
OTHER_MODEL = "model"  # the name of the check whether all rows are of the model that is watched


def watch_day(
    store: DecisionStore, model: WatchedModel, day: date, settings: MonitoringSettings
) -> dict[str, Any]:
    """Return the report of a day in UTC, and store it in the log.

    format, day, model, origin, settings. status: "alarm" if a check alarms, "no rows" for a day without any,
    "too few" if nothing could be tested, else "ok". alarms: the checks in words. notices: what else has
    changed. rows, dropped: logged, and lost. tests: that share the rate. models: rows of each. sites: of each
    its rows, decisions, latency, checks and histograms.

    Rows of another model than the watched one are an alarm, and take part in nothing else. The rate of false
    alarms is divided among the tests of all sites by their weights.

    Raises:
        StorageFailed: the log cannot be read or written.
    """
    today = Traffic.of(store.read(day, day))
    before = Traffic.of(store.read(day - timedelta(days=settings.history), day - timedelta(days=1)))
    ours, earlier = (rows.only(model=model.digest, main=True) for rows in (today, before))
    plans = {
        site: list(planned_checks(ours.only(site=site), earlier.only(site=site), model, settings))
        for site in ours.counts("site")
    }
    tests = [plan for planned in plans.values() for plan in planned if plan.tested]
    rate = settings.rate / max(1, sum(plan.weight for plan in tests))
    sites = {
        site: _site(ours.only(site=site), earlier.only(site=site), model, settings, planned, rate)
        for site, planned in plans.items()
    }
    alarms, notices = _models(today, model), []
    for site, found in sites.items():
        alarms += [f"{site}: {check}" for check in found.pop("alarms")]
        rows, former = (part.only(site=site) for part in (ours, earlier))
        notices += _thresholds(site, rows, former)
        if uses_site(former, model, settings) and (unlike := unlike_evaluation(rows, model)):
            notices.append(f"{site}: unlike the evaluation, as to {', '.join(unlike)}")
    report = {
        "format": FORMAT,
        "day": str(day),
        "model": model.digest,
        "origin": model.origin,
        "settings": dict(vars(settings)),
        "status": _status(len(today), len(tests), alarms),
        "alarms": alarms,
        "notices": notices + _missing(model, settings),
        "rows": len(today),
        "dropped": store.count_dropped(day),
        "tests": len(tests),
        "models": today.counts("model"),
        "sites": sites,
    }
    store.put_report(day, report)
    return report


def _site(
    today: Traffic,
    earlier: Traffic,
    model: WatchedModel,
    settings: MonitoringSettings,
    plans: list[Planned],
    rate: float,
) -> dict[str, Any]:
    checks = [check for plan in plans for check in plan.run(rate * plan.weight)]
    return {
        "rows": len(today),
        "decisions": today.counts("decision"),
        "kinds": today.counts("kind"),
        "latency": _latency(today.numbers("latency")),
        "checks": [check.to_dict() for check in checks],
        "histograms": _histograms(complete(today), face_reference(earlier, model, settings)),
        "alarms": [check for check in checks if check.verdict == "alarm"],
    }


def _status(rows: int, tests: int, alarms: list[str]) -> str:
    if alarms:
        return "alarm"
    if not rows:
        return "no rows"
    return "ok" if tests else "too few"


def _models(today: Traffic, model: WatchedModel) -> list[str]:
    """Return an alarm for each other model that has answered."""
    found = []
    for digest, rows in today.counts("model").items():
        if digest != model.digest:
            origin = next(iter(today.only(model=digest).counts("version")))
            check = Check(name=OTHER_MODEL, statistic="rows", verdict="alarm", rows=rows, value=rows, level=0)
            found.append(f"{check}: {digest[:12]} ({origin}) answered, and {model.digest[:12]} is expected")
    return found


def _thresholds(site: str, today: Traffic, earlier: Traffic) -> list[str]:
    found = []
    for kind in today.counts("kind"):
        now, former = (rows.only(kind=kind).usual_threshold() for rows in (today, earlier))
        if len(earlier.only(kind=kind)) and now != former:
            shown = ["none" if value is None else f"{value:.4f}" for value in (former, now)]
            found.append(f"{site}: the threshold of {kind} has changed from {shown[0]} to {shown[1]}")
    return found


def _missing(model: WatchedModel, settings: MonitoringSettings) -> list[str]:
    if model.reference is not None or settings.against == "site":
        return []
    advice = "faces are compared with earlier days. Run `dvc repro evaluate register`"
    return [f"{model.origin} has no monitoring reference: {advice}"]


def _latency(values: Floats) -> dict[str, float] | None:
    if not len(values):
        return None
    return {"median": float(np.median(values)), "p95": float(np.quantile(values, 0.95))}


def _histograms(today: Floats, usual: Floats) -> dict[str, Any]:
    """Return for each measure bin edges, and the fraction of reference and day in each bin."""
    found: dict[str, Any] = {}
    for place, name in enumerate(MEASURES):
        columns = [rows[np.isfinite(rows[:, place]), place] for rows in (usual, today)]
        if not all(map(len, columns)):
            continue
        low, high = np.quantile(np.concatenate(columns), [0.005, 0.995])
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
        usual_counts, counts = (np.histogram(np.clip(c, low, edges[-1]), edges)[0] / len(c) for c in columns)
        found[name] = {
            "edges": edges.tolist(),
            "usual": usual_counts.tolist(),
            "found": counts.tolist(),
        }
    return found
