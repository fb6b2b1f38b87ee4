"""Run the stage as params.yaml says and write reports/evaluation.json."""

from tasks import paths
from tasks.cli import stage_main
from tasks.params import load_params
from tasks.reports import Meter, write_report


def main() -> None:
    """Evaluate, write the report with the peak memory of the process, and log it to the run of the model."""
    params = load_params()
    # Here and not above: torch takes seconds to import, a wrong parameter none to find.
    from tasks.evaluate.record import log_to_run
    from tasks.evaluate.stage import run

    with Meter() as meter:
        figures = run(params.evaluate, device=params.base.device, sources=params.ingest.sources)
    figures["peak_memory_mb"] = meter.peak_memory_mb
    write_report(paths.report("evaluate"), figures)
    log_to_run(figures, card=paths.MODEL_CARD, reports=paths.REPORTS)


if __name__ == "__main__":
    stage_main(main)
