"""Run the stage: `python -m tasks.align`."""

from tasks import paths
from tasks.cli import stage_main


def main() -> None:
    """Run align as params.yaml says, and write its report."""
    from tasks.align.stage import (
        run,  # not at the top: the workers import this module, and torch takes seconds
    )
    from tasks.params import load_params
    from tasks.reports import write_report

    params = load_params()
    write_report(paths.report("align"), run(params.align, device=params.base.device))


if __name__ == "__main__":
    stage_main(main)
