"""Run the stage on a small workspace and read its embeddings."""

from typing import Any

import pyarrow as pa

from tasks.evaluate.stage import run
from tasks.params.evaluate import EvaluateParams
from tasks.params.sources import OrlSource

Workspace = Any
SOURCES = (OrlSource(kind="orl"),)


def evaluate(workspace: Workspace, params: EvaluateParams, **changes: Any) -> dict[str, Any]:
    changed = params.model_copy(update=changes)
    return run(changed, workspace.files, device="cpu", seed=7, sources=SOURCES)


def read_embeddings(workspace: Workspace) -> pa.Table:
    with pa.OSFile(str(workspace.paths["embeddings"] / "embeddings-0000.arrow")) as file:
        return pa.ipc.open_file(file).read_all()
