"""Compare a model's answers with the decisions of the evaluate stage on LFW View 2: `make bench-answers`.

The stages run in a workspace as a user runs them; `FaceModel.compare` then answers from the photos of all
pairs. The stage decides each fold with a mean and a threshold of the other folds, a model with one mean and
one threshold. Therefore pairs are compared at the threshold of their fold, and where the mean could matter,
and for one pair in twenty, with the mean of their fold: then every decision has to agree. Other ways to ask
answer some of the pairs and have to say what `FaceModel.compare` says.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import answer_ways, view2
from facenet.evaluation.centering import training_means
from facenet.evaluation.distances import combine_flips
from facenet.face_model import FaceModel
from facenet.matching import Matcher
from facenet.model_folder import load_parts
from tasks.entry import stage_main
from tasks.reports import write_report
from tasks.shards import read_table

MODELS = {"casia": ("casia", "on-lfw-view2"), "pretrained": ("pretrained", "on-lfw-view2")}
PAIRS = 600  # for the ways that answer over HTTP
EACH = 20  # one pair of so many is always compared with its fold's mean
SAME = 1e-6  # two ways to ask the same model may differ by this in the distance


def main(arguments: Sequence[str] | None = None) -> None:
    """Write reports/benchmarks/answers-MODEL.json, and fail if an answer is not the stage's decision."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=MODELS, help="recipe of the model")
    parser.add_argument("--workspace", type=Path, help="kept, and continued if the stages have run there")
    parser.add_argument("--ways", nargs="*", choices=answer_ways.WAYS, default=[*answer_ways.WAYS])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="facenet-answers-") as scratch:
        workspace = (options.workspace or Path(scratch) / "workspace").absolute()
        workspace.mkdir(parents=True, exist_ok=True)
        view2.evaluate(workspace, MODELS[options.model])
        report = compare(workspace, options.ways, Path(scratch))
    write_report(Path("reports/benchmarks") / f"answers-{options.model}.json", report)
    for name, value in report.items():
        print(f"{name}: {value}")
    sys.exit(report["other_decisions"] or any(way["other_answers"] for way in report["ways"].values()))


def compare(workspace: Path, ways: Sequence[str], scratch: Path) -> dict[str, Any]:
    """Return how the answers from the photos compare with reports/decisions.csv."""
    decisions = pd.read_csv(workspace / "reports" / "decisions.csv")
    pairs = _photos(workspace, decisions)
    model = FaceModel.load(workspace / "models", device="cpu")
    began = time.perf_counter()
    answers = _table(model.compare(pairs))
    seconds = time.perf_counter() - began
    stage = (decisions["right"] == decisions["same"]).to_numpy()
    distances, thresholds = (decisions[name].to_numpy() for name in ("distance", "threshold"))
    apart = np.abs(answers["distance"].to_numpy() - distances)
    decided = answers["distance"].to_numpy() < thresholds
    near = (np.abs(distances - thresholds) <= 2 * np.nanmax(apart)) | (decided != stage)
    near[::EACH] = True
    rows = np.flatnonzero(near & answers["error"].isna().to_numpy())
    exact = _as_folds(workspace, model.matcher, decisions, pairs, rows)
    decided[rows] = exact["match"]
    matches, faces = answers["match"].to_numpy(bool), answers["error"].isna().to_numpy()
    return {
        "model": str(model),
        "pairs": len(pairs),
        "pairs_without_a_face": int((~faces).sum()),  # never a match; the stage embeds the photo's centre
        "other_decisions": int((decided != stage)[faces].sum()),
        "largest_difference_of_distance": float(np.nanmax(apart)),
        "with_the_fold_s_mean": {
            "pairs": len(rows),
            "largest_difference_of_distance": float(np.max(np.abs(exact["distance"] - distances[rows]))),
        },
        "other_decisions_at_the_model_s_threshold": int((matches != stage)[faces].sum()),
        "accuracy_of_the_stage": float(decisions["right"].mean()),
        "accuracy_of_the_model": float((matches == decisions["same"]).mean()),
        "pairs_per_second": round(len(pairs) / seconds, 1),
        "ways": {way: _asked(way, workspace, pairs, answers, scratch) for way in ways},
    }


def _asked(
    way: str, workspace: Path, pairs: list[tuple[bytes, bytes]], answers: pd.DataFrame, scratch: Path
) -> dict[str, Any]:
    """Return how another way to ask compares with `FaceModel.compare` on some of the pairs."""
    rows = np.arange(0, len(pairs), max(1, len(pairs) // PAIRS))
    began = time.perf_counter()
    found = pd.DataFrame(answer_ways.WAYS[way](workspace, [pairs[row] for row in rows], scratch))
    seconds = time.perf_counter() - began
    expected = answers.iloc[rows].reset_index(drop=True)
    apart = (found["distance"].astype(float) - expected["distance"].astype(float)).abs()
    other = (
        (found["match"] != expected["match"]) | (apart > SAME) | (apart.isna() != expected["error"].notna())
    )
    return {
        "pairs": len(rows),
        "other_answers": int(other.sum()),
        "largest_difference_of_distance": float(apart.max()),
        "seconds": round(seconds, 1),
    }


def _as_folds(
    workspace: Path, matcher: Matcher | None, decisions: pd.DataFrame, pairs: Sequence[Any], rows: Any
) -> pd.DataFrame:
    """Return the answers to some pairs by models with the mean and threshold of the pair's fold."""
    assert matcher is not None
    parts, means = load_parts(workspace / "models", device="cpu", batch_size=32), {}
    if matcher.mean is not None and matcher.mean_source == "folds":
        means = _means(workspace, matcher)
    found = []
    folds = decisions["fold"].to_numpy()[rows]
    for fold in np.unique(folds):
        (threshold,) = decisions.loc[decisions["fold"] == fold, "threshold"].unique()
        mean = tuple(means[fold]) if fold in means else matcher.mean
        calibrated = replace(parts, matcher=replace(matcher, mean=mean, threshold=float(threshold)))
        chosen = rows[folds == fold]
        answers = FaceModel(calibrated, origin=f"fold {fold}").compare([pairs[row] for row in chosen])
        found.append(_table(answers).set_index(chosen))
    return pd.concat(found).loc[rows].reset_index(drop=True)


def _means(workspace: Path, matcher: Matcher) -> dict[int, np.ndarray]:
    """Return the mean that the stage subtracted in each fold, from the embeddings it stored."""
    table = read_table(workspace / "data" / "embeddings", "embeddings")
    row_of = {image_id: row for row, image_id in enumerate(table["image_id"].to_pylist())}
    faces, flipped = (
        np.stack(table[name].to_numpy()) if table[name].null_count == 0 else None
        for name in ("embedding", "embedding_flipped")
    )
    vectors = combine_flips(faces, flipped, matcher.flip)
    listed = pd.read_parquet(workspace / "data" / "raw" / "pairs.parquet")
    left, right = (listed[side].map(row_of).to_numpy() for side in ("left", "right"))
    fold = listed["fold"].to_numpy(np.int32)
    scored = np.unique(fold[fold >= 0])
    means = training_means(vectors, left, right, fold, scored)
    return dict(zip(scored.tolist(), means, strict=True))


def _photos(workspace: Path, decisions: pd.DataFrame) -> list[tuple[bytes, bytes]]:
    """Return the files of the photos of each pair, as they were ingested."""
    listed = pd.read_parquet(workspace / "data" / "raw" / "pairs.parquet")
    ids = {n: i for s in ("left", "right") for n, i in zip(listed[f"{s}_name"], listed[s], strict=True)}
    table = read_table(workspace / "data" / "raw", "images", ["image_id", "image"])
    stored = dict(zip(table["image_id"].to_pylist(), table["image"].to_pylist(), strict=True))
    sides = [[stored[ids[name]] for name in decisions[f"{side}_name"]] for side in ("left", "right")]
    return list(zip(*sides, strict=True))


def _table(answers: Sequence[Any]) -> pd.DataFrame:
    names = ("match", "distance", "threshold", "error")
    return pd.DataFrame({name: [getattr(answer, name) for answer in answers] for name in names})


if __name__ == "__main__":
    stage_main(main)
