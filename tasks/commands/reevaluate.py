"""`python -m tasks.commands.reevaluate`: evaluate a registered model on the workspace's present pairs.

A model gets no worse, but what it is used on changes: new people, other cameras. The accuracy on the present
pairs is compared with the one at registration.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks import paths
from tasks.entry import stage_main
from tasks.params import Params, load_params
from tasks.reports import write_report
from tasks.tracking.registry import Version

REPORT = paths.REPORTS / "reevaluation.json"
METRICS = ("accuracy", "val", "auc", "eer")
FACTS = ("protocol", "pairs_sha256", "pairs_used", "pairs_total")


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate the version on the command line and write reports/reevaluation.json."""
    parser = argparse.ArgumentParser(prog="python -m tasks.commands.reevaluate", description=__doc__)
    parser.add_argument("--model", help="models:/NAME@ALIAS or models:/NAME/VERSION (default: the champion)")
    params = load_params()
    uri = parser.parse_args(arguments).model or f"models:/{params.register.model}@champion"
    report = reevaluate(uri, params)
    write_report(REPORT, report)
    said = {key: report[key] for key in ("version", "accuracy", "dropped")}
    sys.stdout.write(json.dumps(said, allow_nan=False) + "\n")


def reevaluate(uri: str, params: Params) -> dict[str, Any]:
    """Return metrics of a version on the present pairs next to those at its registration.

    `dropped` is whether the accuracy at registration is above the 95 % interval of the present one. The
    metrics are logged to the run of the version as reevaluation/NAME.

    Raises:
        SourceInvalid: the registry has no such version.
        TrackingFailed: the MLflow server cannot be reached.
        DataInvalid, PairsFileInvalid: faces or pairs are missing. Run `dvc repro triplets`.
    """
    # Imported late: torch and MLflow take seconds.
    from tasks.evaluate.files import EvaluatePaths
    from tasks.evaluate.stage import run
    from tasks.tracking import Run
    from tasks.tracking.model_uri import resolve_version
    from tasks.tracking.registry import download_version

    version = resolve_version(uri)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = download_version(version, folder / "model")
        files = EvaluatePaths(
            weights=model / paths.WEIGHTS.name,
            card=model / paths.MODEL_CARD.name,
            calibration=folder / "calibration.json",
            monitoring=folder / "monitoring.json",
            embeddings=folder / "embeddings",
            reports=folder / "reports",
        )
        base, sources = params.base, params.ingest.sources
        metrics = run(params.evaluate, files, device=base.device, seed=base.seed, sources=sources)
    now = {name: metrics[name] for name in METRICS}
    if version.run_id:
        Run(version.run_id).log_metrics({f"reevaluation/{name}": value for name, value in now.items()})
    return {
        "model": version.model,
        "version": version.number,
        **{name: metrics[name] for name in FACTS},
        **now,
        "accuracy_interval": metrics["accuracy_interval"],
        **compare(metrics, version),
    }


def compare(metrics: dict[str, Any], version: Version) -> dict[str, Any]:
    """Return how the present metrics compare with those of a version at its registration.

    registered: the metrics at registration, without those that the version lacks.
    same_pairs: whether the pairs are still the same.
    dropped: whether the accuracy at registration is above the present interval; None if it is unknown.
    """
    registered = {name: value for name in METRICS if (value := version.metric(name)) is not None}
    before = registered.get("accuracy")
    return {
        "registered": registered,
        "same_pairs": version.tags.get("pairs_sha256") == metrics["pairs_sha256"],
        "dropped": None if before is None else before > metrics["accuracy_interval"][1],
    }


if __name__ == "__main__":
    stage_main(main)
