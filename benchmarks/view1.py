"""Train recipes on LFW View 1 and evaluate each untrained network too: `make bench-view1 ARGS="arcface"`.

Every recipe has its own workspace below --folder; finished ones are not trained again. Photos and detected
faces are shared, and so is the evaluation of an untrained network that several recipes use. The results of
all recipes trained so far are written to reports/benchmarks/view1.json and printed as a table; their curves
are drawn in view1.svg next to it.
"""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks import machine
from benchmarks.stage import run_stage
from benchmarks.view1_curves import draw_curves
from facenet.atomic import write_text
from facenet.cores import cores
from tasks.commands.recipes import compose
from tasks.entry import stage_main
from tasks.params import parse_params
from tasks.params.sources import LfwSource
from tasks.reports import read_report, write_report

REPORT, PLOT = (Path("reports") / "benchmarks" / name for name in ("view1.json", "view1.svg"))
FOLDER = Path(".dvc") / "tmp" / "view1"  # ignored by Git and DVC
VIEW = "on-lfw-view1"
RECIPES = (
    *("lfw-view1", "cosface", "arcface", "inception-softmax", "facenet-inception-triplet"),
    *("facenet-nn1-triplet", "nn4small2-center", "siamese-densenet", "casia-finetune", "finetune"),
)
UNTRAINED = "untrained"  # folder of the workspaces of untrained networks
# Keys of section train that an untrained network depends on.
NETWORK = ("network", "variant", "embedding_size", "image_size", "dropout", "init", "standardisation")


def main() -> None:
    """Train the named recipes that are not trained yet, and show all results."""
    parser = argparse.ArgumentParser(description="Recipes trained on LFW View 1.")
    add = parser.add_argument
    add("recipes", nargs="*", default=list(RECIPES), metavar="RECIPE", help="default: all")
    add("--folder", type=Path, default=FOLDER, help="folder of the workspaces")
    arguments = parser.parse_args()
    for recipe in arguments.recipes:
        train(arguments.folder, recipe)
    found = [recipe for recipe in RECIPES if (arguments.folder / recipe / "row.json").exists()]
    rows = [read_report(arguments.folder / recipe / "row.json") for recipe in found]
    write_report(REPORT, {"recipes": rows})
    draw_curves(PLOT, {recipe: arguments.folder / recipe / "reports" / "history.csv" for recipe in found})
    sys.stdout.write(table(rows))


def train(folder: Path, recipe: str) -> None:
    """Train a recipe in its workspace, and evaluate it trained and untrained, unless already done."""
    workspace = folder / recipe
    text = _params(recipe)
    if (workspace / "row.json").exists() and (workspace / "params.yaml").read_text() == text:
        return
    (workspace / "row.json").unlink(missing_ok=True)  # stale if this run is killed
    _link(folder, workspace, "raw", "cache")
    write_text(workspace / "params.yaml", text)
    for stage in ("ingest", "align", "triplets", "train", "evaluate"):
        if stage != "ingest" or not (workspace / "data" / "raw" / "manifest.parquet").exists():
            run_stage(workspace, stage)
    write_report(workspace / "row.json", _row(recipe, workspace, _untrained(folder, workspace)))


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown for docs/results.md."""
    names = ("recipe", "parameters", "trained on", "epochs", "cores", "minutes", "images/s")
    names += ("accuracy", "interval", "AUC", "EER", "untrained")
    lines = [names, ["---" if name in ("recipe", "trained on", "interval") else "---:" for name in names]]
    lines += [_cells(row) for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(row: dict[str, Any]) -> list[str]:
    low, high = row["interval"]
    return [
        row["recipe"],
        f"{row['parameters'] / 1e6:.1f} M",
        f"{row['images']:,} photos of {row['identities']:,} people",
        *(f"{row[name]:.0f}" for name in ("epochs", "cores", "minutes", "images_per_second")),
        f"{row['accuracy']:.3f}",
        f"{low:.3f} to {high:.3f}",
        *(f"{row[name]:.3f}" for name in ("auc", "eer", "untrained")),
    ]


def _params(recipe: str) -> str:
    """Return params.yaml of a recipe on View 1; some recipes already include LFW."""
    text = compose(recipe)
    has_lfw = any(isinstance(source, LfwSource) for source in parse_params(text).ingest.sources)
    return text if has_lfw else compose(recipe, VIEW)


def _link(source: Path, workspace: Path, *names: str) -> None:
    """Link folders of another workspace into the data folder of this one."""
    (workspace / "data").mkdir(parents=True, exist_ok=True)
    for name in names:
        (source / name).mkdir(parents=True, exist_ok=True)
        link = workspace / "data" / name
        if not link.is_symlink():
            link.symlink_to((source / name).absolute(), target_is_directory=True)


def _untrained(folder: Path, workspace: Path) -> dict[str, Any]:
    """Return the evaluation of a recipe's untrained network."""
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    key = {
        **{section: params[section] for section in ("ingest", "align", "evaluate")},
        "validation_fraction": params["triplets"]["validation_fraction"],  # whose pairs set the threshold
        **{name: params["train"][name] for name in NETWORK},
    }
    before = folder / UNTRAINED / hashlib.sha256(yaml.safe_dump(key).encode()).hexdigest()[:16]
    params["train"]["epochs"] = 0
    report = before / "reports" / "evaluation.json"
    if not report.exists():
        _link(workspace / "data", before, "raw", "cache", "aligned", "triplets")
        write_text(before / "params.yaml", yaml.safe_dump(params))
        for stage in ("train", "evaluate"):
            run_stage(before, stage)
    return read_report(report)


def _row(recipe: str, workspace: Path, untrained: dict[str, Any]) -> dict[str, Any]:
    trained = read_report(workspace / "reports" / "train.json")
    evaluated = read_report(workspace / "reports" / "evaluation.json")
    return {
        "recipe": recipe,
        **{name: trained[name] for name in ("parameters", "images", "identities", "epochs", "minutes")},
        "images_per_second": trained["images_per_second"],
        "accuracy": evaluated["accuracy"],
        "interval": evaluated["accuracy_interval"],
        **{name: evaluated[name] for name in ("auc", "eer")},
        "untrained": untrained["accuracy"],
        "untrained_interval": untrained["accuracy_interval"],
        "cores": cores(),
        "machine": machine.description(),
    }


if __name__ == "__main__":
    stage_main(main)
