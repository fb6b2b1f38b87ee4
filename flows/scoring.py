"""The scoring flow: embed a folder or a Parquet file of photos with a registered model.

See `python -m flows.scoring --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.states import Completed, Failed
from pydantic import Field

from facenet.errors import FaceNetError
from flows.artifacts import publish_page
from flows.child import run_module
from flows.command import LOCAL, print_result
from flows.gpu import gpu_slot
from flows.local_api import local_api
from flows.servers import require_mlflow
from flows.stage import on_gpu
from flows.supervision import supervise
from flows.training import Hours
from flows.watch import Watch
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.reports import read_report

CHAMPION = "models:/facenet@champion"
ModelUri = Annotated[str, Field(pattern=r"^models:/[^/@]+(@[^/@]+|/\d+)$")]
ParquetPath = Annotated[str, Field(pattern=r"\.parquet$")]


def _run_name() -> str:
    return f"scoring {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="scoring", flow_run_name=_run_name, persist_result=False)
def scoring(
    photos: str = "photos",
    out: ParquetPath = "reports/scores.parquet",
    model: ModelUri = CHAMPION,
    timeout_hours: Hours = 24.0,
) -> Any:
    """Embed the face in each photo, and write id, embedding, box, probability and model version.

    A photo without a face is embedded at its centre, and marked as fallback. Files that cannot be read are
    counted, and listed next to `out`. It changes nothing in the workspace, and does not wait for other runs.

    Args:
        photos: A folder of photos on the worker, or a Parquet file with the columns image (bytes) and id.
        out: The Parquet file to write on the worker.
        model: The model, as models:/NAME@ALIAS or models:/NAME/VERSION.
        timeout_hours: End the run after this time.
    """

    def work(watch: Watch) -> Any:
        try:
            return _score(photos, out, model, watch)
        except FaceNetError as error:
            return Failed(message=str(error))

    return supervise(work, timeout_hours=timeout_hours, workspace=False)


def _score(photos: str, out: str, model: str, watch: Watch) -> Any:
    require_mlflow()
    warn = get_run_logger().warning
    with gpu_slot(watch.check, warn) if on_gpu() else nullcontext():
        arguments = [photos, out, "--model", model, "--device", load_params().base.device]
        run_module("tasks.commands.score", arguments, check=watch.check)
    summary = read_report(Path(out).with_suffix(".json"))
    publish_page("scoring", page(summary), in_words(summary), warn=warn)
    return Completed(name="Rejects" if summary["rejected"] else None, message=in_words(summary))


def in_words(summary: dict[str, Any]) -> str:
    """Return the result of a scoring in one line."""
    rejected = sum(summary["rejected"].values())
    return (
        f"{summary['scored']} of {summary['photos']} photos embedded with {summary['model']} version "
        f"{summary['version']}, {summary['fallbacks']} without a face, {rejected} rejected"
    )


def page(summary: dict[str, Any]) -> str:
    """Return the page of a scoring: the result, its files, and the rejected photos by reason."""
    rows = "".join(f"| {reason} | {count} |\n" for reason, count in summary["rejected"].items())
    rejects = f"\n| rejected | photos |\n| --- | --- |\n{rows}" if rows else ""
    files = f"- embeddings: {summary['out']}\n- rejected photos: {summary['rejects']}\n"
    return f"# {in_words(summary)}\n\n{files}{rejects}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a failure prints its reason and exits with 1."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.scoring", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("photos", help="a folder, or a Parquet file with the columns image and id")
    parser.add_argument("out", help="the Parquet file to write")
    parser.add_argument("--model", default=CHAMPION, help="default: %(default)s")
    parser.add_argument("--local", action="store_true", help=LOCAL)
    options = parser.parse_args(arguments)
    stage_main(lambda: _score_now(options))


def _score_now(options: argparse.Namespace) -> None:
    with local_api(local=options.local):
        state: Any = scoring(options.photos, options.out, options.model, return_state=True)
    print_result(state)


if __name__ == "__main__":
    main()
