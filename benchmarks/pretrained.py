"""Measure dlib's network on LFW View 2, and write the calibration that the package ships.

`make bench-pretrained` runs it. All photos of LFW are embedded, not only those in pairs, so that
identification is measured on all 5,749 people.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.stage import ROOT, run_stage
from facenet.atomic import write_text
from facenet.matching import Matcher
from facenet.model import MONITORING, ModelCard
from facenet.monitoring.reference import read_reference
from facenet.networks.dlib_file import SHA256
from facenet.pretrained.card import pretrained_card
from facenet.pretrained.measured import FILE, FORMAT, REFERENCE
from tasks.commands.recipes import compose
from tasks.entry import stage_main
from tasks.reports import read_report

FOLDER = Path(".dvc") / "tmp" / "pretrained"  # ignored by Git and DVC
TARGET = ROOT / "facenet" / "pretrained" / FILE
RECIPES = ("pretrained", "on-lfw-view2")
METRICS = (
    *("protocol", "pairs_used", "accuracy", "accuracy_std", "accuracy_interval", "val", "far_target"),
    *("auc", "eer", "threshold", "calibration_error", "fallbacks"),
)
BINS = 60  # of the histograms


def main() -> None:
    """Run the stages up to evaluate, and write measured.json and monitoring.json."""
    parser = argparse.ArgumentParser(description="dlib's network on LFW View 2.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="folder of the workspace")
    folder = parser.parse_args().folder
    params = yaml.safe_load(compose(*RECIPES))
    params["evaluate"]["all_pairs"] = True
    write_text(folder / "params.yaml", yaml.safe_dump(params, sort_keys=False))
    for stage in ("ingest", "align", "triplets", "train", "evaluate"):
        if stage == "evaluate" or not (folder / "models" / "model.json").exists():  # written by train
            run_stage(folder, stage)
    found = measure(folder)
    reference = read_reference(folder / "models" / MONITORING, _weights(folder))
    assert reference is not None
    replace(reference, weights_sha256=SHA256).write(TARGET.with_name(REFERENCE))
    write_text(TARGET, json.dumps(found, indent=1, allow_nan=False) + "\n")
    print(json.dumps(found["evaluation"], indent=1))


def _weights(workspace: Path) -> str:
    return ModelCard.read(workspace / "models" / "model.json").weights_sha256


def measure(workspace: Path) -> dict[str, Any]:
    """Return the content of measured.json from an evaluated workspace."""
    card, expected = ModelCard.read(workspace / "models" / "model.json"), pretrained_card()
    for name in ("network", "align", "standardisation", "origin"):
        assert getattr(card, name) == getattr(expected, name), name
    calibration = workspace / "models" / "calibration.json"
    Matcher.read(calibration).check(card.weights_sha256)
    report = read_report(workspace / "reports" / "evaluation.json")
    values = json.loads(calibration.read_text())
    del values["weights_sha256"]
    return {
        "format": FORMAT,
        "init_sha256": SHA256,
        "recipe": " ".join(RECIPES),
        "evaluation": {name: report[name] for name in METRICS},
        "distances": histograms(pd.read_csv(workspace / "reports" / "decisions.csv")),
        "calibration": values,
    }


def histograms(decisions: pd.DataFrame) -> dict[str, list[float]]:
    """Return the edges of BINS bins from 0 to the largest distance, and the pairs of either class in each."""
    distances, same = decisions["distance"].to_numpy(), decisions["same"].to_numpy(bool)
    edges = np.linspace(0, np.ceil(distances.max() * 100) / 100, BINS + 1).round(6)
    counts = {
        name: np.histogram(distances[rows], edges)[0].tolist()
        for name, rows in (("same", same), ("different", ~same))
    }
    return {"edges": edges.tolist(), **counts}


if __name__ == "__main__":
    stage_main(main)
