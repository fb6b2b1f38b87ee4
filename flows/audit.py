"""The audit flow: which photos of the workspace may have a wrong name?

See `python -m flows.audit --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.states import Completed, Failed
from pydantic import Field

from facenet.errors import FaceNetError
from flows.artifacts import publish_page
from flows.child import run_module
from flows.command import LOCAL, print_result
from flows.local_api import local_api
from flows.scoring import CHAMPION
from flows.supervision import supervise
from flows.training import Hours
from flows.watch import Watch
from tasks.entry import stage_main
from tasks.paths import REPORTS
from tasks.reports import read_report

REPORT = REPORTS / "label_audit.json"
PAGE = REPORTS / "label_audit.html"
AnyModel = Annotated[str, Field(pattern=r"^(models:/[^/@]+(@[^/@]+|/\d+)|pretrained|[^:]+)$")]


def _run_name() -> str:
    return f"audit {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="audit", flow_run_name=_run_name, persist_result=False)
def audit(model: AnyModel = CHAMPION, timeout_hours: Hours = 12.0) -> Any:
    """Find photos under a wrong name, people under two names, and names of two people in the workspace.

    It writes reports/label_audit.parquet, .json and .html, and decides nothing.

    Args:
        model: The model, as models:/NAME@ALIAS, models:/NAME/VERSION, a folder on the worker, or pretrained.
        timeout_hours: End the run after this time.
    """

    def work(watch: Watch) -> Any:
        try:
            run_module("tasks.audit", ["--model", model], check=watch.check)
        except FaceNetError as error:
            return Failed(message=str(error))
        return conclude(read_report(REPORT))

    return supervise(work, timeout_hours=timeout_hours)


def conclude(report: dict[str, Any]) -> Any:
    """Publish the counts, and return the final state."""
    summary = in_words(report)
    publish_page("audit", page(report), summary, warn=get_run_logger().warning)
    return Completed(name="Suspects" if sum(report["suspects"].values()) else None, message=summary)


def in_words(report: dict[str, Any]) -> str:
    """Return the result of an audit in one line."""
    return (
        f"{sum(report['suspects'].values())} suspects among {report['faces']} faces of "
        f"{report['identities']} people, by {report['model']}"
    )


def page(report: dict[str, Any]) -> str:
    """Return the result as Markdown: the counts by kind, a warning if there is one, and where to look."""
    rows = "".join(
        f"| {kind} | {count} | {report['findings'][kind]} |\n" for kind, count in report["suspects"].items()
    )
    warning = f"**{report['warning']}**\n\n" if report.get("warning") else ""
    table = f"| kind | suspects | findings |\n| --- | --- | --- |\n{rows}"
    return f"# {in_words(report)}\n\n{warning}{table}\nIn the workspace: {PAGE} shows the faces.\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a failure prints its reason and exits with 1."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.audit", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--model", default=CHAMPION, help="default: %(default)s")
    parser.add_argument("--local", action="store_true", help=LOCAL)
    options = parser.parse_args(arguments)
    stage_main(lambda: _audit_now(options))


def _audit_now(options: argparse.Namespace) -> None:
    with local_api(local=options.local):
        state: Any = audit(options.model, return_state=True)
    print_result(state)


if __name__ == "__main__":
    main()
