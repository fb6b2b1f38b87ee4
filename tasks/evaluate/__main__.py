"""Run the stage as params.yaml says and write reports/evaluation.json."""

import sys
from functools import partial
from typing import Any

from tasks import paths
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.reports import Meter, write_report
from tasks.workers.processes import begin, preload

# Seconds of imports: scikit-learn, then MLflow.
IDENTIFICATION = ("tasks.evaluate.identification", "sklearn.svm")
RECORD = ("tasks.evaluate.record", "tasks.tracking.runs", "mlflow", "mlflow.store.tracking.sqlalchemy_store")


def main() -> None:
    """Evaluate, write the report with the peak memory of the process, and log it to the run of the model."""
    params = load_params()
    beside = preload(*IDENTIFICATION, *RECORD)
    # Here and not above: torch takes seconds to import, a wrong parameter none to find.
    from tasks.evaluate.record import log_to_run
    from tasks.evaluate.stage import run

    with Meter() as meter:
        figures = run(
            params.evaluate,
            device=params.base.device,
            seed=params.base.seed,
            sources=params.ingest.sources,
            beside=beside,
        )
    figures["peak_memory_mb"] = meter.peak_memory_mb
    write_report(paths.report("evaluate"), figures)
    sys.stderr.write(headline(figures) + "\n")
    record = partial(log_to_run, figures, card=paths.MODEL_CARD, reports=paths.REPORTS)
    with begin(record, beside=beside) as result:
        result()


def headline(figures: dict[str, Any]) -> str:
    """Return the result in one line."""
    low, high = figures["accuracy_interval"]
    return ", ".join(
        [
            f"{figures['protocol']}: accuracy {figures['accuracy']:.4f} ± {figures['accuracy_std']:.4f}",
            f"95 % interval {low:.4f} to {high:.4f}",
            f"VAL {figures['val']:.4f} at FAR {figures['far_target']:g}",
            f"AUC {figures['auc']:.4f}",
            f"EER {figures['eer']:.4f}",
            f"{figures['pairs_used']} of {figures['pairs_total']} pairs",
            f"{figures['fallbacks']} photos without a face",
        ]
    )


if __name__ == "__main__":
    stage_main(main)
