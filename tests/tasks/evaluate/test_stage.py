"""The stage on real faces: metrics, files, missing photos, leaks."""

import csv
import hashlib
import itertools
import json
import logging
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from facenet import networks
from facenet.embedder import center_crop
from facenet.errors import DataInvalid, PairsFileInvalid, WeightsInvalid
from facenet.evaluation.platt import fit_sigmoid
from facenet.images import decode
from facenet.matching import Matcher
from facenet.model import load_model
from facenet.standardisation import standardise
from tasks.evaluate import stage
from tasks.evaluate.embeddings import Embeddings
from tasks.evaluate.mean import Mean
from tasks.evaluate.pairs import Pairs
from tasks.evaluate.record import FILES
from tasks.params.evaluate import EvaluateParams
from tasks.shards import read_table
from tests.tasks.evaluate.running import evaluate, read_embeddings

Workspace = Any


def test_headline_metrics(workspace: Workspace, params: EvaluateParams) -> None:
    metrics = evaluate(workspace, params)
    assert metrics["protocol"] == "generated pairs, 5 folds"
    assert (metrics["pairs_total"], metrics["pairs_used"], metrics["coverage"]) == (120, 120, 1)
    assert (metrics["images"], metrics["fallbacks"], metrics["identity_overlap"]) == (40, 1, 0)
    assert (metrics["folds"], metrics["folds_scored"]) == (5, 5)
    assert metrics["pairs_sha256"] == hashlib.sha256(workspace.paths["pairs"].read_bytes()).hexdigest()
    assert metrics["threshold_rule"] == "max_accuracy"
    assert metrics["images_per_second"] > 0
    assert metrics["far_target"] == 0.1
    assert (metrics["distance"], metrics["flip"], metrics["sweep"], metrics["subtract_mean"]) == (
        *("euclidean_squared", "concatenate", "exact", True),
    )
    for name in ("accuracy", "accuracy_std", "val", "val_std", "far", "auc", "eer"):
        assert 0 <= metrics[name] <= 1, name
    low, high = metrics["accuracy_interval"]
    assert low < metrics["accuracy"] < high
    assert metrics["auc"] > 0.6  # even an untrained network maps photos of one person near each other
    assert "identity_overlap_warning" not in metrics
    json.dumps(metrics, allow_nan=False)


@pytest.mark.parametrize("standardisation", ["fixed", "per_image"])
def test_metrics_equal_a_loop_over_the_pairs(
    workspace: Workspace, params: EvaluateParams, standardisation: str
) -> None:
    """One embedding per face, squared distance, threshold from the other folds."""
    workspace.with_card(standardisation=standardisation)
    metrics = evaluate(workspace, params, flip="none", subtract_mean=False)
    network, _ = load_model(workspace.paths["weights"], workspace.paths["card"])
    faces = read_table(workspace.paths["aligned"], "faces")
    embeddings = {}
    with torch.inference_mode():
        for image_id, image in zip(faces["image_id"].to_pylist(), faces["image"].to_pylist(), strict=True):
            pixels = center_crop(decode(image)[None], 96)
            embeddings[image_id] = networks.embed(network, standardise(pixels, standardisation))[0].numpy()
    stored = read_embeddings(workspace)
    expected = [embeddings[image_id] for image_id in stored["image_id"].to_pylist()]
    np.testing.assert_allclose(np.array(stored["embedding"].to_pylist()), expected, atol=1e-5)
    pairs = workspace.pairs
    distance = np.array(
        [
            ((embeddings[a].astype(float) - embeddings[b]) ** 2).sum()
            for a, b in zip(pairs["left"], pairs["right"], strict=True)
        ]
    )
    same, accuracies = pairs["same"].to_numpy(), []
    for fold in range(5):
        test = (pairs["fold"] == fold).to_numpy()
        candidates = sorted(distance[~test])
        best = max(candidates, key=lambda t: ((distance[~test] < t) == same[~test]).sum())
        middle = (best + max((d for d in candidates if d < best), default=best)) / 2
        accuracies.append(((distance[test] < middle) == same[test]).mean())
    assert metrics["accuracy"] == pytest.approx(np.mean(accuracies))
    assert metrics["accuracy_std"] == pytest.approx(np.std(accuracies))


def test_second_run_writes_the_same_bytes(workspace: Workspace, params: EvaluateParams) -> None:
    metrics = [evaluate(workspace, params)]
    outputs = [*workspace.paths["reports"].iterdir(), *workspace.paths["embeddings"].iterdir()]
    before = {path: path.read_bytes() for path in outputs}
    metrics.append(evaluate(workspace, params))
    assert {path: path.read_bytes() for path in outputs} == before
    assert {path.name for path in outputs} == {"embeddings-0000.arrow", *FILES} - {"evaluation.json"}
    assert [each.pop("images_embedded") for each in metrics] == [40, 0]
    for each in metrics:
        del each["images_per_second"]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize("missing", ["fallback", "skip"])
def test_pairs_without_a_found_face_follow_the_policy(
    workspace: Workspace, params: EvaluateParams, missing: str
) -> None:
    """Photo 1 of s1 is a fallback: it is in three pairs of s1 and in some with s2."""
    metrics = evaluate(workspace, params, missing=missing)
    touched = (workspace.pairs[["left_name", "right_name"]] == "s1/s1_0001").any(axis=1)
    assert metrics["pairs_used"] == (120 if missing == "fallback" else 120 - int(touched.sum()))
    left_out = pd.read_csv(workspace.paths["reports"] / "missing_pairs.csv")
    assert len(left_out) == 120 - metrics["pairs_used"]
    assert set(left_out["reason"]) <= {"no face"}
    with pytest.raises(PairsFileInvalid, match=r"pairs are missing a face: s1/s1_0001 - |evaluate.missing"):
        evaluate(workspace, params, missing="fail")


def test_tables_and_pictures(workspace: Workspace, params: EvaluateParams) -> None:
    metrics = evaluate(workspace, params)
    reports = workspace.paths["reports"]
    with (reports / "folds.csv").open() as file:
        folds = list(csv.DictReader(file))
    assert [row["fold"] for row in folds] == ["0", "1", "2", "3", "4"]
    assert np.mean([float(row["accuracy"]) for row in folds]) == pytest.approx(metrics["accuracy"], abs=1e-5)
    with (reports / "roc.csv").open() as file:
        points = [(float(row["far"]), float(row["tpr"])) for row in csv.DictReader(file)]
    assert (points[0], points[-1]) == ((0, 0), (1, 1))
    assert points == sorted(points)
    area = sum((b[0] - a[0]) * (b[1] + a[1]) / 2 for a, b in itertools.pairwise(points))
    assert area == pytest.approx(metrics["auc"], abs=1e-4)
    for picture in ("roc.png", "worst_errors.png", "correct_pairs.png"):
        assert min(Image.open(reports / picture).size) > 300


def test_the_calibration_is_what_was_measured(workspace: Workspace, params: EvaluateParams) -> None:
    metrics = evaluate(workspace, params, distance="cosine")
    matcher = Matcher.read(workspace.paths["calibration"])
    assert matcher.threshold == pytest.approx(metrics["threshold"])
    assert (matcher.metric, matcher.flip, matcher.mean) == ("cosine", "concatenate", None)
    table = read_embeddings(workspace)
    rows = {
        image_id: (np.array(face), np.array(flipped))
        for image_id, face, flipped in zip(*(column.to_pylist() for column in table.columns), strict=True)
    }
    left, right = ([rows[i] for i in workspace.pairs[side]] for side in ("left", "right"))
    sides = [np.stack(part) for side in (left, right) for part in zip(*side, strict=True)]
    templates = [matcher.templates(*sides[first : first + 2]) for first in (0, 2)]
    distances = matcher.template_pairs(*templates)
    decisions = pd.read_csv(workspace.paths["reports"] / "decisions.csv")
    assert decisions["distance"].to_numpy() == pytest.approx(distances, abs=1e-5)
    points = pd.read_csv(workspace.paths["reports"] / "operating_points.csv")
    assert points["far_target"].tolist() == [0.1, 0.01, 0.001, 0.0001]
    assert (matcher.people, matcher.thresholds) == (10, ())  # too few people for false accept rates
    assert not points["supported"].any()
    assert points["probability"].is_monotonic_increasing


def test_missing_photos_are_counted_and_folds_unchanged(
    workspace: Workspace, params: EvaluateParams, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = workspace.pairs.copy()
    lost = (pairs["fold"] == 1) & (pairs["left_name"] == "s3/s3_0002")
    pairs.loc[lost, "left"] = None
    pairs.loc[pairs["right_name"] == "s6/s6_0001", "right"] = "f" * 64  # ingested, but never aligned
    missing = int(lost.sum() + (pairs["right_name"] == "s6/s6_0001").sum())
    with caplog.at_level(logging.WARNING):
        metrics = evaluate(workspace.with_pairs(pairs), params)
    assert (metrics["pairs_total"], metrics["pairs_used"]) == (120, 120 - missing)
    assert metrics["coverage"] == pytest.approx(1 - missing / 120)
    assert metrics["folds_scored"] == 5
    assert f"{missing} of 120 pairs are missing a photo" in caplog.text
    counts = pd.read_csv(workspace.paths["reports"] / "folds.csv")["pairs"].tolist()
    kept = pairs["left"].notna() & (pairs["right"] != "f" * 64)
    assert counts == pairs[kept].groupby("fold").size().tolist()


def test_a_fold_without_photos_is_not_scored(workspace: Workspace, params: EvaluateParams) -> None:
    pairs = workspace.pairs.copy()
    pairs.loc[pairs["fold"] == 2, "left"] = None
    metrics = evaluate(workspace.with_pairs(pairs), params)
    assert (metrics["folds"], metrics["folds_scored"]) == (5, 4)
    assert pd.read_csv(workspace.paths["reports"] / "folds.csv")["fold"].tolist() == [0, 1, 3, 4]


def test_no_photo_at_all_is_an_error(workspace: Workspace, params: EvaluateParams) -> None:
    with pytest.raises(PairsFileInvalid, match="None of the 120 pairs"):
        evaluate(workspace.with_pairs(workspace.pairs.assign(left=None)), params)


def test_view_1(workspace: Workspace, params: EvaluateParams) -> None:
    """Fold -1 chooses the threshold, is embedded, but not scored.

    Its people may be in training; their pairs are left out.
    """
    pairs = workspace.pairs
    pairs = pairs.assign(fold=np.where(pairs["fold"] == 4, 0, -1).astype(np.int32))
    metrics = evaluate(workspace.with_pairs(pairs).with_trained("s1", "s2"), params)
    assert (metrics["pairs_total"], metrics["threshold_pairs_total"]) == (24, 96)
    assert (metrics["threshold_pairs_used"], metrics["threshold_pairs_trained"]) == (72, 24)
    assert (metrics["images"], metrics["folds_scored"], metrics["accuracy_std"]) == (32, 1, 0)
    assert metrics["identity_overlap"] == 0
    assert metrics["accuracy_standard_error"] is None
    low, high = metrics["accuracy_interval"]
    assert 0 < low < metrics["accuracy"] < high < 1
    assert high - low > 0.2  # 24 pairs are few


def test_unbalanced_threshold_pairs_use_equal_priors(workspace: Workspace, params: EvaluateParams) -> None:
    """The threshold is where both classes are equally likely, by the pairs of people not trained on."""
    pairs = workspace.pairs
    pairs = pairs.assign(fold=np.where(pairs["fold"] == 4, 0, -1).astype(np.int32))
    names = [
        (f"{a}/{a}_000{i}", f"{b}/{b}_000{j}")
        for a, b in itertools.product(("s3", "s4"), ("s5", "s6"))
        for i, j in itertools.product(range(1, 5), repeat=2)
    ]
    more = pd.DataFrame(names, columns=["left_name", "right_name"]).assign(same=False, fold=np.int32(-1))
    ids = workspace.ids
    more = more.assign(left=more["left_name"].map(ids), right=more["right_name"].map(ids))
    pairs = pd.concat([pairs, more], ignore_index=True)
    space = workspace.with_pairs(pairs).with_trained("s1", "s2")
    metrics = evaluate(space, params, flip="none", subtract_mean=False)
    table = read_embeddings(space)
    row = dict(zip(table["image_id"].to_pylist(), np.array(table["embedding"].to_pylist()), strict=True))
    left = pairs[(pairs["fold"] < 0) & ~pairs["left_name"].str.match("s[12]/")]
    sides = zip(left["left"], left["right"], strict=True)
    distance = np.array([((row[a] - row[b]) ** 2).sum() for a, b in sides])
    same = left["same"].to_numpy()
    assert (metrics["threshold_pairs_used"], len(left), same.sum()) == (136, 136, 36)
    assert metrics["threshold_rule"] == "equal_prior"
    assert fit_sigmoid(distance, same).probability(metrics["threshold"]) == pytest.approx(0.5, abs=1e-4)


def test_a_single_fold_raises_before_embedding(workspace: Workspace, params: EvaluateParams) -> None:
    alone = workspace.with_pairs(workspace.pairs.assign(fold=np.int32(0)))
    with pytest.raises(PairsFileInvalid, match="threshold_pairs"):
        evaluate(alone, params)
    assert not alone.paths["embeddings"].exists()


def test_evaluated_people_trained_on_are_warned_about(
    workspace: Workspace, params: EvaluateParams, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        metrics = evaluate(workspace.with_trained("S-1", "s10", "s39"), params)
    assert metrics["identity_overlap"] == 2
    assert metrics["identity_overlap_warning"] in caplog.text
    assert "2 OF THE EVALUATED PEOPLE WERE TRAINED ON" in caplog.text


def test_downloaded_weights_have_no_identity_overlap(workspace: Workspace, params: EvaluateParams) -> None:
    leaky = workspace.with_trained("s1").with_card(params={"train": {"epochs": 0}})
    assert evaluate(leaky, params)["identity_overlap"] == 0


@pytest.mark.parametrize(
    ("changes"),
    [
        {"distance": "arccos"},
        {"distance": "cosine", "flip": "add"},
        {"sweep": "grid", "flip": "none"},
        {"precision": "bf16", "subtract_mean": False},
    ],
)
def test_options(workspace: Workspace, params: EvaluateParams, changes: dict[str, Any]) -> None:
    metrics = evaluate(workspace, params, **changes)
    assert {name: metrics[name] for name in changes} == changes
    assert 0.5 < metrics["auc"] <= 1
    assert math.isfinite(metrics["threshold"])


def test_distances_beyond_the_grid_are_reported(
    workspace: Workspace, params: EvaluateParams, caplog: pytest.LogCaptureFixture
) -> None:
    """Squared distances of concatenated flips reach 8."""
    rows = pd.read_parquet(workspace.paths["pairs"])
    assert evaluate(workspace, params, sweep="grid", flip="none")["beyond_grid"] == 0
    assert "grid ends" not in caplog.text
    evaluation = stage.evaluate(
        opposite(rows), Pairs(rows, rows), params.model_copy(update={"sweep": "grid"}), Mean("none"), 7
    )
    fraction = np.mean(evaluation.result.distances >= 3.99)
    assert stage._beyond_grid(evaluation, params.model_copy(update={"sweep": "grid"})) == {
        "beyond_grid": fraction
    }
    assert 0 < fraction < 1
    assert "grid ends" in caplog.text


def opposite(pairs: pd.DataFrame) -> Embeddings:
    """Embeddings that point in opposite directions for people with odd and even numbers."""
    photos = sorted({*pairs["left"], *pairs["right"]})
    names = dict(zip(pairs["left"], pairs["left_name"], strict=True))
    names |= dict(zip(pairs["right"], pairs["right_name"], strict=True))
    random = np.random.default_rng(0)
    signs = np.array([1 - 2 * (int(names[photo].partition("/")[0][1:]) % 2) for photo in photos])
    faces = signs[:, None] * np.ones((len(photos), 16)) / 4 + random.normal(0, 0.1, (len(photos), 16))
    faces = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return Embeddings(
        image_ids=tuple(photos), digests=(b"",) * len(photos), faces=faces, flipped=faces, seconds=1.0
    )


def test_missing_inputs_raise(workspace: Workspace, params: EvaluateParams) -> None:
    workspace.paths["identities"].unlink()
    with pytest.raises(DataInvalid, match="dvc repro triplets"):
        evaluate(workspace, params)
    workspace.paths["weights"].unlink()
    with pytest.raises(WeightsInvalid, match="dvc repro train"):
        evaluate(workspace, params)
    shutil.rmtree(workspace.paths["aligned"])
    with pytest.raises(DataInvalid, match="dvc repro align"):
        evaluate(workspace, params)


def command(workspace: Workspace, root: Path) -> "subprocess.CompletedProcess[str]":
    shutil.copy(root / "recipes" / "default.yaml", workspace.root / "params.yaml")
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-m", "tasks.evaluate"],
        cwd=workspace.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_writes_the_report(workspace: Workspace, root: Path) -> None:
    done = command(workspace, root)
    assert done.returncode == 0, done.stderr
    report = json.loads((workspace.root / "reports" / "evaluation.json").read_text())
    assert report["peak_memory_mb"] > 50
    assert f"accuracy {report['accuracy']:.4f}" in done.stderr
    assert "names no MLflow run" in done.stderr


def test_command_reports_an_error_without_a_traceback(workspace: Workspace, root: Path) -> None:
    workspace.paths["card"].unlink()
    done = command(workspace, root)
    assert done.returncode == 1
    assert "WeightsInvalid" in done.stderr
    assert "Traceback" not in done.stderr
