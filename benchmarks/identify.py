"""Identification of LFW people with unknown ones among them, on several random splits: `make bench-identify`.

1,000 people are enrolled with one photo each (and those with more photos also with three), and their other
photos and one photo of each of 500 strangers are identified. Thresholds and probabilities are measured on all
other people, 4,249 of them, who are neither enrolled nor strangers. Results are written to
reports/benchmarks/identify.json and printed as tables for docs/results.md.
"""

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.identify_faces import Faces, evaluated_faces, lfw_faces, milliseconds_per_photo
from benchmarks.identify_split import (
    FPIRS,
    STRANGERS,
    Answers,
    calibrated,
    choose_split,
    enrol,
    identify,
    metrics,
    open_gallery,
)
from facenet import FaceModel
from facenet.evaluation.uncertainty import folds_interval, wilson_interval
from facenet.identification.scorers import SCORERS, Method
from facenet.matching import Matcher
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "identify.json"
FOLDER = Path(".dvc") / "tmp" / "identify"  # ignored by Git and DVC
PHOTOS = (1, 3)  # enrolled per person
EDGES = (0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99, 1)  # of the reliability table


def main() -> None:
    """Measure the splits, and write and print the results."""
    parser = argparse.ArgumentParser(description="Identification of LFW people and strangers.")
    add = parser.add_argument
    add("--model", default="pretrained", help="as FaceModel.load takes it; default: pretrained")
    evaluated = "workspace whose embeddings are used, such as that of bench-pretrained, instead of embedding"
    add("--evaluated", type=Path, help=evaluated)
    add("--splits", type=int, default=10, help="random splits of people; default: 10")
    add("--svm-splits", type=int, default=2, help="of them with a linear SVM; a minute each; default: 2")
    add("--folder", type=Path, default=FOLDER, help="folder of photos and templates")
    add("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    model = FaceModel.load(arguments.model)
    if model.matcher is None:
        parser.error(f"{model.origin} has no calibration: its faces have no templates")
    if arguments.evaluated is None:
        faces = lfw_faces(model, arguments.folder)
    else:
        faces = evaluated_faces(model, arguments.evaluated)
    found = [
        measure(model.matcher, faces, photos, splits=arguments.splits, svm_splits=arguments.svm_splits)
        for photos in PHOTOS
    ]
    single, batch = milliseconds_per_photo(model, arguments.folder)
    report = {
        "machine": machine.description(),
        "model": model.origin,
        "photos": faces.photos,
        "faces": len(faces.names),
        "embed_ms": {"single": single, "batch": batch},
        "galleries": found,
    }
    write_report(arguments.report, report)
    sys.stdout.write(tables(report))


def measure(matcher: Matcher, faces: Faces, photos: int, *, splits: int, svm_splits: int) -> dict[str, Any]:
    """Return the results with `photos` enrolled per person."""
    answers: dict[Method, list[Answers]] = {method: [] for method in SCORERS}
    enrolling: list[float] = []
    for seed in range(splits):
        split = choose_split(faces.names, photos, seed)
        measured = calibrated(matcher, faces, split, seed)
        with tempfile.TemporaryDirectory() as folder, open_gallery(Path(folder), faces, "0" * 64) as gallery:
            enrolling += enrol(gallery, faces, split)
            for method, found in answers.items():
                if method != "linear_svm" or seed < svm_splits:
                    found.append(identify(gallery, measured, faces, split, method))
        sys.stderr.write(f"split {seed + 1} of {splits} with {photos} photos per person\n")
    return {
        "photos_per_person": photos,
        "people": len(split.enrolled),
        "probes": len(split.probes),
        "strangers": len(split.strangers),
        "calibration_people": measured.galleries().people,
        "enrol_ms": {
            "median": 1000 * float(np.median(enrolling)),
            "p99": 1000 * float(np.quantile(enrolling, 0.99)),
        },
        "scorers": {method: summary(found) for method, found in answers.items() if found},
    }


def summary(answers: list[Answers]) -> dict[str, Any]:
    """Return means over splits with their 95 % intervals, the FPIR seen, and the reliability."""
    rows = [metrics(found) for found in answers]
    result: dict[str, Any] = {"splits": len(rows)}
    for name in ("rank1", *(f"tpir_{fpir:g}" for fpir in FPIRS)):
        values = [row[name] for row in rows]
        result[name] = float(np.mean(values))
        if len(values) > 1:
            result[f"{name}_interval"] = list(folds_interval(values))
    for fpir in FPIRS:
        accepted = [row[f"accepted_{fpir:g}"] for row in rows]
        result[f"fpir_{fpir:g}"] = float(np.mean(accepted)) / STRANGERS
        if len(accepted) > 1:
            result[f"fpir_{fpir:g}_interval"] = list(folds_interval([a / STRANGERS for a in accepted]))
        inside = [low <= fpir <= high for low, high in (wilson_interval(a, STRANGERS) for a in accepted)]
        result[f"accepted_{fpir:g}"] = accepted
        result[f"fpir_{fpir:g}_splits_in_interval"] = int(np.sum(inside))
    single, batch = np.median([found.milliseconds for found in answers], axis=0).tolist()
    return result | {
        "identify_ms": {"single": single, "batch": batch},
        "ready_ms": 1000 * float(np.median([found.ready for found in answers])),
        **reliability(answers),
    }


def reliability(answers: list[Answers]) -> dict[str, Any]:
    """Return the expected calibration error and the table of predicted and observed rates, at prior 0.5."""
    said = np.concatenate([found.probabilities for found in answers])
    correct = np.concatenate([found.correct for found in answers])
    weights = np.concatenate([found.weights for found in answers])
    bins, error = [], 0.0
    for low, high in itertools.pairwise(EDGES):
        inside = (said >= low) & (said < high if high < 1 else said <= 1)
        if inside.any():
            total = float(weights[inside].sum())
            predicted, observed = (
                float((weights * values)[inside].sum()) / total for values in (said, correct)
            )
            error += total / float(weights.sum()) * abs(predicted - observed)
            bins.append(
                {"low": low, "high": high, "faces": int(inside.sum()), "weight": total / len(answers)}
                | {"predicted": predicted, "observed": observed}
            )
    return {"calibration_error": error, "reliability": bins}


def tables(report: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    head = ("photos", "people", "scorer", "splits", "rank 1", "TPIR at FPIR 10 %", "TPIR at FPIR 1 %")
    head += ("FPIR seen for 10 %", "FPIR seen for 1 %", "ECE", "ms per face", "in a batch")
    lines = [head, tuple("---:" if name != "scorer" else "---" for name in head)]
    for gallery in report["galleries"]:
        for method, row in gallery["scorers"].items():
            lines.append(
                (
                    *(
                        str(gallery["photos_per_person"]),
                        f"{gallery['people']:,}",
                        method,
                        str(row["splits"]),
                    ),
                    *(_value(row, name) for name in ("rank1", "tpir_0.1", "tpir_0.01")),
                    *(_value(row, name, 4) for name in ("fpir_0.1", "fpir_0.01")),
                    f"{row['calibration_error']:.4f}",
                    *(f"{row['identify_ms'][name]:.2f}" for name in ("single", "batch")),
                )
            )
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    for gallery in report["galleries"]:
        for method, row in gallery["scorers"].items():
            cells = [f"{b['predicted']:.3f}/{b['observed']:.3f} ({b['faces']})" for b in row["reliability"]]
            text += (
                f"\n{gallery['photos_per_person']} {method}: predicted/observed (faces) {', '.join(cells)}\n"
            )
        text += f"\nenrolling a person: {gallery['enrol_ms']}\n"
    return text + f"\nembedding a photo: {report['embed_ms']} ms\n"


def _value(row: dict[str, Any], name: str, digits: int = 3) -> str:
    interval = row.get(f"{name}_interval")
    spread = f" ± {(interval[1] - interval[0]) / 2:.{digits}f}" if interval else ""
    return f"{row[name]:.{digits}f}{spread}"


if __name__ == "__main__":
    stage_main(main)
