"""Run the stage as params.yaml says and write reports/evaluation.json."""

import sys
from functools import partial
from typing import Any

from tasks import paths
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.reports import Meter, write_report
from tasks.workers.processes import begin, preload

# Imports that take seconds: scikit-learn, then MLflow.
IDENTIFICATION = ("tasks.evaluate.identification", "tasks.evaluate.galleries", "sklearn.svm")
RECORD = (
    "tasks.evaluate.record",
    "tasks.tracking.recorded",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
)


def main() -> None:
    """Evaluate, write the report with the peak memory of the process, and log it to the model's run."""
    params = load_params()
    forked = preload(*IDENTIFICATION, *RECORD)
    # Imported late: torch takes seconds to import, and invalid parameters should fail before that.
    from tasks.evaluate.files import EvaluatePaths
    from tasks.evaluate.record import log_to_run
    from tasks.evaluate.stage import run

    with Meter() as meter:
        metrics = run(
            params.evaluate,
            EvaluatePaths(),
            device=params.base.device,
            seed=params.base.seed,
            sources=params.ingest.sources,
            forked=forked,
        )
    metrics["peak_memory_mb"] = meter.peak_memory_mb
    write_report(paths.report("evaluate"), metrics)
    sys.stderr.write(headline(metrics) + "\n")
    record = partial(log_to_run, metrics, card=paths.MODEL_CARD, reports=paths.REPORTS)
    with begin(record, in_worker=forked) as result:
        result()


def headline(metrics: dict[str, Any]) -> str:
    """Return a one-line summary."""
    low, high = metrics["accuracy_interval"]
    return ", ".join(
        [
            f"{metrics['protocol']}: accuracy {metrics['accuracy']:.4f} ± {metrics['accuracy_std']:.4f}",
            f"95 % interval {low:.4f} to {high:.4f}",
            f"VAL {metrics['val']:.4f} at FAR {metrics['far_target']:g}",
            f"AUC {metrics['auc']:.4f}",
            f"EER {metrics['eer']:.4f}",
            f"{metrics['pairs_used']} of {metrics['pairs_total']} pairs",
            f"{metrics['fallbacks']} photos without a face",
        ]
    )


if __name__ == "__main__":
    stage_main(main)
