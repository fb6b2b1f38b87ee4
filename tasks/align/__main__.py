"""Run the stage: `python -m tasks.align`."""

from tasks import paths
from tasks.entry import check_first, stage_main
from tasks.workers.processes import preload


def main() -> None:
    """Run align with the settings in params.yaml and write its report."""
    preload("tasks.align.work")
    from tasks.align.stage import run  # imported late: torch takes seconds, during which the workers start
    from tasks.params import load_params
    from tasks.reports import write_report

    params = load_params()
    check_first()
    write_report(paths.report("align"), run(params.align, device=params.base.device))


if __name__ == "__main__":
    stage_main(main)
