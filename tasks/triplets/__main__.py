"""Run the stage with params.yaml and write reports/triplets.json."""

from tasks import paths
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.reports import Meter, write_report
from tasks.triplets.stage import run


def main() -> None:
    """Write the plan, and the report with time and peak memory."""
    params = load_params()
    with Meter() as meter:
        metrics = run(
            params.triplets,
            seed=params.base.seed,
            device=params.base.device,
            allow_identity_overlap=params.ingest.allow_identity_overlap,
            training=params.train.epochs > 0,
            with_evaluation_pairs=params.train.evaluate_every > 0,
        )
    report = {**metrics, "seconds": round(meter.seconds, 2), "peak_memory_mb": meter.peak_memory_mb}
    write_report(paths.report("triplets"), report)


if __name__ == "__main__":
    stage_main(main)
