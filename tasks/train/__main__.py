"""Run the stage with params.yaml and write reports/train.json."""

from tasks import paths
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.reports import Meter, write_report


def main() -> None:
    """Train, and write the report with the peak memory of the process."""
    params = load_params()
    from tasks.train.stage import run  # imports torch, which a wrong parameter need not wait for

    with Meter() as meter:
        metrics = run(params)
    if metrics is not None:
        write_report(paths.report("train"), {**metrics, "peak_memory_mb": meter.peak_memory_mb})


if __name__ == "__main__":
    stage_main(main)
