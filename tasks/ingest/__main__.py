"""Run the stage: `python -m tasks.ingest`."""

from tasks import paths
from tasks.entry import stage_main


def main() -> None:
    """Run ingest with params.yaml and write its report."""
    from tasks.ingest.stage import run  # not at module level: the workers import this module
    from tasks.params import load_params
    from tasks.reports import write_report

    params = load_params()
    write_report(paths.report("ingest"), run(params.ingest, seed=params.base.seed, raw=paths.RAW))


if __name__ == "__main__":
    stage_main(main)
