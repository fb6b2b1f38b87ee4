"""Run the stage: `python -m tasks.align`."""

from tasks import paths
from tasks.entry import stage_main
from tasks.workers.processes import preload


def main() -> None:
    """Run align as params.yaml says, and write its report."""
    preload("tasks.align.work")
    from tasks.align.stage import run  # not at the top: torch takes seconds, in which the workers get ready
    from tasks.params import load_params
    from tasks.reports import write_report

    params = load_params()
    write_report(paths.report("align"), run(params.align, device=params.base.device))


if __name__ == "__main__":
    stage_main(main)
