"""LFW View 2, by default with the CASIA-WebFace weights, by the stages in a separate workspace."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from benchmarks.stage import ROOT
from facenet.atomic import write_bytes
from tasks.commands.recipes import compose
from tasks.reports import read_report
from tasks.shards import read_batches

RECIPES = ("casia", "on-lfw-view2")


def prepare(workspace: Path) -> None:
    """Create faces and model of View 2 in `workspace` with the stages before evaluate, unless they exist."""
    (workspace / "params.yaml").write_text(compose(*RECIPES))
    if (workspace / "models" / "model.json").exists():  # written last
        return
    for stage in ("ingest", "align", "triplets", "train"):
        _run(workspace, stage)


def evaluate(workspace: Path, recipes: tuple[str, ...]) -> None:
    """Run the stages up to evaluate on View 2 with the model of `recipes`, unless they have run."""
    if (workspace / "reports" / "evaluation.json").exists():  # written last
        return
    (workspace / "params.yaml").write_text(compose(*recipes))
    for stage in ("ingest", "align", "triplets", "train", "evaluate"):
        _run(workspace, stage)


def write_faces(workspace: Path, folder: Path, count: int) -> list[Path]:
    """Write `count` of the aligned faces to PNG files in `folder`, and return their paths."""
    paths: list[Path] = []
    for batch in read_batches(workspace / "data" / "aligned", "faces"):
        for image in batch.column("image"):
            if len(paths) == count:
                return paths
            paths.append(folder / f"{len(paths):05d}.png")
            write_bytes(paths[-1], image.as_py())
    return paths


def accuracy(workspace: Path, precision: str) -> float:
    """Return the accuracy on View 2 with the network's arithmetic in `precision`."""
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    params["evaluate"]["precision"] = precision
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))
    _run(workspace, "evaluate")
    return float(read_report(workspace / "reports" / "evaluation.json")["accuracy"])


def _run(workspace: Path, stage: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", f"tasks.{stage}"], cwd=workspace, env=environment, check=True)
