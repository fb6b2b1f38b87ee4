"""Run the stage: `python -m tasks.ingest`."""

from tasks import paths
from tasks.entry import check_first, stage_main


def main() -> None:
    """Run ingest with params.yaml and write its report."""
    from tasks.ingest.enough import Needs
    from tasks.ingest.stage import run  # not at module level: the workers import this module
    from tasks.labels.forgotten import read_forgotten
    from tasks.params import load_params
    from tasks.reports import write_report

    params = load_params()
    check_first()
    by_people = params.triplets.split == "people"
    needs = Needs(
        training=params.train.epochs > 0,
        min_images=params.triplets.min_images,
        validation_fraction=params.triplets.validation_fraction if by_people else 0.0,
    )
    forgotten = read_forgotten(paths.FORGOTTEN)
    metrics = run(params.ingest, seed=params.base.seed, raw=paths.RAW, needs=needs, forgotten=forgotten)
    write_report(paths.report("ingest"), metrics)


if __name__ == "__main__":
    stage_main(main)
