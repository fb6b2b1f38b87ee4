"""The sweep flow: each point of a grid trained and evaluated beside the workspace, then all compared.

`python -m flows.sweep --help` says how. DVC runs the points one after the other in a copy of the workspace,
see flows/workspace_copy.py: stages that a point does not touch come from the cache, and so do the points of a
sweep that was interrupted. MLflow has a run for the sweep and in it one for each point. No future import of
annotations here: Prefect evaluates those of a served flow where their names are unknown.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from facenet.atomic import write_text
from facenet.errors import FaceNetError, ParamsInvalid
from flows.local_api import local_api
from flows.stage import reproduce
from flows.training import STAGES
from flows.workspace import exclusive
from flows.workspace_copy import settings, workspace_copy
from tasks import paths
from tasks.params import parse_params
from tasks.reports import read_report
from tasks.sweep import comparison
from tasks.sweep.comparison import PointResult
from tasks.sweep.grid import Point, at_point, label, make_points, parse_axis
from tasks.tracking import Run, training_run

Metric = Literal["accuracy", "val", "auc", "eer"]
TABLE, PICTURE = paths.REPORTS / "sweep.csv", paths.REPORTS / "sweep.png"


def _run_name() -> str:
    return f"sweep {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="sweep", flow_run_name=_run_name, persist_result=False)
def sweep(grid: dict[str, list[Any]], metric: Metric = "accuracy", register_models: bool = False) -> Any:
    """Train and evaluate each combination of values, and compare them.

    A point that fails does not end the sweep; the run fails at the end and says how many did.

    Args:
        grid: Values to try by parameter, such as {"train.margin": [0.2, 0.35]}.
        metric: What the points are ranked by.
        register_models: Register the model of each point as well, where its gates let it.
    """
    stages = STAGES if register_models else STAGES[: STAGES.index("register")]
    with exclusive(f"flow run {flow_run.get_name()!r}", on_wait=get_run_logger().warning):
        text = paths.PARAMS.read_text()
        points = make_points(grid, text)
        _tell_of_invalid(points, text)
        name = f"sweep {' x '.join(grid)}"
        with training_run(name=name, tags={"points": str(len(points))}) as parent, workspace_copy() as copy:
            parent.log_params({"grid": dict(grid), "metric": metric})
            results = [_point_result(point, text, stages, copy, parent) for point in points]
            summary = _publish(results, metric, parent)
    failed = sum(bool(result.error) for result in results)
    return Failed(message=summary) if failed else Completed(message=summary)


def _tell_of_invalid(points: Sequence[Point], text: str) -> None:
    """Say before hours of training which points cannot be run: not all values of a grid may go together."""
    for point in points:
        try:
            parse_params(at_point(text, point))
        except ParamsInvalid as error:
            get_run_logger().warning("%s will fail: %s", label(point), error)


def _point_result(point: Point, text: str, stages: Sequence[str], copy: Path, parent: Run) -> PointResult:
    """Run a point as a child of the sweep's MLflow run; an error becomes its result."""
    try:
        with training_run(name=label(point), tags={"mlflow.parentRunId": parent.run_id}) as child:
            params = at_point(text, point)
            child.log_params(_sections(params))
            parse_params(params)
            write_text(copy / paths.PARAMS, params)
            metrics = _point.with_options(task_run_name=label(point))(stages, copy)
            child.log_metrics(_numbers(metrics))
            child.set_tags({"training_run": _training_run(copy)})
    except FaceNetError as error:
        get_run_logger().error("%s failed: %s", label(point), error)
        return PointResult(point, error=str(error))
    return PointResult(point, metrics)


# DVC alone decides what is up to date, so Prefect neither caches nor keeps results.
@task(name="point", cache_policy=NO_CACHE, persist_result=False)
def _point(stages: Sequence[str], copy: Path) -> dict[str, Any]:
    """Bring the stages of the copy up to date with its params.yaml and return the evaluation."""
    logger = get_run_logger()
    for stage in stages:
        run = reproduce(stage, logger.info, folder=copy, settings=settings())
        logger.info("%s: %s", stage, run.unchanged or f"ran in {run.seconds} s")
    return read_report(copy / paths.report("evaluate"))


def _sections(params: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(params))


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that MLflow takes for metrics; bounds of an interval are low and high."""
    numbers = {name: float(value) for name, value in metrics.items() if type(value) in (int, float)}
    for name, value in metrics.items():
        if name.endswith("_interval"):
            stem = name.removesuffix("_interval")
            numbers |= {f"{stem}_low": float(value[0]), f"{stem}_high": float(value[1])}
    return numbers


def _training_run(copy: Path) -> str:
    """Return the MLflow run that trained the point: an earlier one if it came from the cache."""
    return str(json.loads((copy / paths.MODEL_CARD).read_text())["mlflow"]["run_id"])


def _publish(results: Sequence[PointResult], metric: str, parent: Run) -> str:
    """Write table and picture, publish them, and return what the sweep came to in one line."""
    rows = comparison.table(results, metric)
    comparison.write_csv(TABLE, rows)
    comparison.draw(PICTURE, results, metric)
    failed = sum(bool(result.error) for result in results)
    best = comparison.ranked(results, metric)[0]
    summary = f"{failed} of {len(results)} points failed" if failed else f"Points: {len(results)}"
    if not best.error:
        summary += f". Best {metric} {best.metrics[metric]:.4f}: {label(best.point)}"
        parent.log_metrics({f"best_{metric}": best.metrics[metric]})
    parent.log_metrics({"points": len(results), "failed_points": failed})
    for path in (TABLE, PICTURE):
        parent.log_file(path, "reports")
    create_table_artifact([dict(row) for row in rows], key="sweep", description=summary)
    get_run_logger().info("%s\n\n%s\n", summary, comparison.as_text(rows))
    return summary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 1 if a point failed."""
    try:
        asked = parse(arguments)
        with local_api():
            state: Any = sweep(
                asked.grid, metric=asked.metric, register_models=asked.register, return_state=True
            )
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What was finished is kept: the same sweep goes on from there.\n")
        return 130
    except FaceNetError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not state.is_completed():
        sys.stderr.write(f"\n{state.message}\n")
        return 1
    sys.stdout.write(f"{TABLE} and {PICTURE} compare the points.\n")
    return 0


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `grid`, `metric` and `register`.

    Raises:
        ParamsInvalid: a --grid is no axis, or names a parameter again.
    """
    parser = argparse.ArgumentParser(
        prog="python -m flows.sweep", description="Train and evaluate each point of a grid, and compare them."
    )
    axis = "a parameter and the values to try; several make every combination: train.margin=0.2,0.35"
    parser.add_argument("--grid", action="append", required=True, metavar="KEY=VALUE,...", help=axis)
    ranking = "what the points are ranked by (default: %(default)s)"
    parser.add_argument("--metric", default="accuracy", choices=list(comparison.METRICS), help=ranking)
    parser.add_argument("--register", action="store_true", help="register the model of each point, too")
    asked = parser.parse_args(arguments)
    axes = [parse_axis(text) for text in asked.grid]
    keys = [key for key, _ in axes]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ParamsInvalid(f"{', '.join(twice)} is an axis twice: write its values after one --grid.")
    asked.grid = dict(axes)
    return asked


if __name__ == "__main__":
    sys.exit(main())
