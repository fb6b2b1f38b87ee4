"""The sweep flow: train and evaluate each point of a grid in a copy of the workspace, then compare them.

See `python -m flows.sweep --help`. DVC runs the points one after another in the copy
(flows/workspace_copy.py): stages that a point does not affect come from the cache, and so do the finished
points of an interrupted sweep. MLflow has a run for the sweep with a child run for each point. No `from
__future__ import annotations` here: Prefect evaluates the annotations of a served flow in another namespace.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from facenet.atomic import write_text
from facenet.errors import FaceNetError, ParamsInvalid
from flows.command import LOCAL
from flows.gpu import gpu_slot
from flows.local_api import local_api
from flows.stage import on_gpu, reproduce
from flows.supervision import supervise
from flows.training import STAGES, Hours
from flows.watch import Watch
from flows.workspace_copy import settings, workspace_copy
from tasks import paths
from tasks.params import parse_params
from tasks.promotion.receipt import registered_version
from tasks.redaction import redact
from tasks.reports import read_report
from tasks.sweep import comparison
from tasks.sweep.comparison import PointResult
from tasks.sweep.grid import Point, at_point, label, make_points, parse_axis
from tasks.tracking import Run, training_run
from tasks.tracking.registry import CHALLENGER, set_alias

Metric = Literal["accuracy", "val", "auc", "eer"]
TABLE, PLOT = paths.REPORTS / "sweep.csv", paths.REPORTS / "sweep.png"


def _run_name() -> str:
    return f"sweep {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="sweep", flow_run_name=_run_name, persist_result=False)
def sweep(
    grid: dict[str, list[Any]],
    metric: Metric = "accuracy",
    register_models: bool = False,
    timeout_hours: Hours = 72.0,
) -> Any:
    """Train and evaluate each combination of values, and compare them.

    A failed point does not end the sweep; the run fails at the end with the number of failed points.

    Args:
        grid: Values to try by parameter, such as {"train.margin": [0.2, 0.35]}.
        metric: The metric to rank the points by.
        register_models: Also register the model of each point that passes its gates, the best as challenger.
        timeout_hours: End the run after this time; finished points are cached.
    """
    stages = STAGES if register_models else STAGES[: STAGES.index("register")]
    return supervise(lambda watch: _sweep(grid, metric, stages, watch), timeout_hours=timeout_hours)


def _sweep(grid: Mapping[str, list[Any]], metric: Metric, stages: Sequence[str], watch: Watch) -> Any:
    text = paths.PARAMS.read_text()
    points = make_points(grid, text)
    _warn_about_invalid(points, text)
    name = f"sweep {' x '.join(grid)}"
    with training_run(name=name, tags={"points": str(len(points))}) as parent, workspace_copy() as copy:
        parent.log_params({"grid": dict(grid), "metric": metric})
        run_point = partial(_point_result, text=text, stages=stages, copy=copy, parent=parent, watch=watch)
        results = [run_point(point) for point in points]
        best = comparison.ranked(results, metric)[0]
        summary = _publish(results, metric, parent) + _make_challenger(best)
    failed = sum(bool(result.error) for result in results)
    return Failed(message=summary) if failed else Completed(message=summary)


def _warn_about_invalid(points: Sequence[Point], text: str) -> None:
    """Warn before hours of training about points that cannot run: some combinations of values are invalid."""
    for point in points:
        try:
            parse_params(at_point(text, point))
        except ParamsInvalid as error:
            get_run_logger().warning("%s will fail: %s", label(point), error)


def _point_result(
    point: Point, text: str, stages: Sequence[str], copy: Path, parent: Run, watch: Watch
) -> PointResult:
    """Run a point as a child of the sweep's MLflow run; an error becomes the point's result."""
    try:
        with training_run(name=label(point), tags={"mlflow.parentRunId": parent.run_id}) as child:
            params = at_point(text, point)
            child.log_params(_sections(params))
            parse_params(params)
            write_text(copy / paths.PARAMS, params)
            # A function, since Prefect would fill the braces of a string.
            metrics, receipt = _point.with_options(task_run_name=lambda: label(point))(stages, copy, watch)
            child.log_metrics(_numbers(metrics))
            child.set_tags({"training_run": _training_run(copy)})
    except FaceNetError as error:
        get_run_logger().error("%s failed: %s", label(point), error)
        return PointResult(point, error=redact(str(error)))
    return PointResult(point, metrics, registration=receipt)


# DVC alone decides what is up to date, so Prefect neither caches nor keeps results.
@task(name="point", cache_policy=NO_CACHE, persist_result=False)
def _point(stages: Sequence[str], copy: Path, watch: Watch) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bring the stages of the copy up to date with its params.yaml; return evaluation and registration."""
    logger, receipt = get_run_logger(), copy / paths.report("register")
    run_stage = partial(reproduce, on_line=logger.info, folder=copy, settings=settings(), check=watch.check)
    for stage in stages:
        with gpu_slot(watch.check, logger.warning) if stage == "train" and on_gpu() else nullcontext():
            run = run_stage(stage)
        if stage == "register" and run.unchanged and registered_version(receipt) is None:
            run = run_stage(stage, force=True)
        logger.info("%s: %s", stage, run.in_words())
    registration = read_report(receipt) if "register" in stages else {}
    return read_report(copy / paths.report("evaluate")), registration


def _make_challenger(best: PointResult) -> str:
    """Give the alias to the best point, which the last one has taken, and return a sentence about it."""
    if not best.registration:
        return ""
    model, version = best.registration["model"], int(best.registration["version"])
    set_alias(model, CHALLENGER, version)
    return f". It is {model} version {version} (challenger): python -m flows.promotion --version {version}"


def _sections(params: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(params))


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the numeric metrics for MLflow; an interval becomes two metrics, low and high."""
    numbers = {name: float(value) for name, value in metrics.items() if type(value) in (int, float)}
    for name, value in metrics.items():
        if name.endswith("_interval"):
            stem = name.removesuffix("_interval")
            numbers |= {f"{stem}_low": float(value[0]), f"{stem}_high": float(value[1])}
    return numbers


def _training_run(copy: Path) -> str:
    """Return the MLflow run that trained the point: an earlier run if it came from the cache.

    A run that the server did not answer for is named by its tag `outbox`.
    """
    tracked = json.loads((copy / paths.MODEL_CARD).read_text())["mlflow"]
    return str(tracked["run_id"] or f"outbox {tracked['outbox']}")


def _publish(results: Sequence[PointResult], metric: str, parent: Run) -> str:
    """Write and publish table and plot, and return the result of the sweep in one line."""
    rows = comparison.table(results, metric)
    comparison.write_csv(TABLE, rows)
    comparison.draw(PLOT, results, metric)
    failed = sum(bool(result.error) for result in results)
    best = comparison.ranked(results, metric)[0]
    summary = f"{failed} of {len(results)} points failed" if failed else f"Points: {len(results)}"
    if not best.error:
        summary += f". Best {metric} {best.metrics[metric]:.4f}: {label(best.point)}"
        parent.log_metrics({f"best_{metric}": best.metrics[metric]})
    parent.log_metrics({"points": len(results), "failed_points": failed})
    for path in (TABLE, PLOT):
        parent.log_file(path, "reports")
    create_table_artifact([dict(row) for row in rows], key="sweep", description=summary)
    get_run_logger().info("%s\n\n%s\n", summary, comparison.as_text(rows))
    return summary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 if a point failed."""
    try:
        options = parse(arguments)
        with local_api(local=options.local):
            state: Any = sweep(
                options.grid, metric=options.metric, register_models=options.register, return_state=True
            )
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Finished points are cached: the same sweep continues from there.\n")
        return 130
    except FaceNetError as error:
        sys.stderr.write(redact(f"{error}\n"))
        return 1
    if not state.is_completed():
        sys.stderr.write(f"\n{state.message}\n")
        return 1
    sys.stdout.write(f"See {TABLE} and {PLOT} for the comparison.\n")
    return 0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `grid`, `metric`, `register` and `local`.

    Raises:
        ParamsInvalid: a --grid is not a valid axis, or repeats a parameter.
    """
    parser = argparse.ArgumentParser(
        prog="python -m flows.sweep", description="Train and evaluate each point of a grid, and compare them."
    )
    axis = "a parameter and its values, e.g. train.margin=0.2,0.35; repeat to try every combination"
    parser.add_argument("--grid", action="append", required=True, metavar="KEY=VALUE,...", help=axis)
    ranking = "metric to rank the points by (default: %(default)s)"
    parser.add_argument("--metric", default="accuracy", choices=list(comparison.METRICS), help=ranking)
    parser.add_argument("--register", action="store_true", help="also register the model of each point")
    parser.add_argument("--local", action="store_true", help=LOCAL)
    options = parser.parse_args(arguments)
    axes = [parse_axis(text) for text in options.grid]
    keys = [key for key, _ in axes]
    if repeated := sorted({key for key in keys if keys.count(key) > 1}):
        raise ParamsInvalid(f"--grid repeats {', '.join(repeated)}: write all its values after one --grid.")
    options.grid = dict(axes)
    return options


if __name__ == "__main__":
    sys.exit(main())
