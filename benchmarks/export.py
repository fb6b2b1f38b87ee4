"""Benchmark the exported network in ONNX Runtime and OpenVINO against torch: `make bench-export`.

Needs LFW in FACENET_MIRRORS, and for the recipe casia its weights. Faces are detected once and shared. Each
runtime embeds the same faces in alternating rounds in one process, with the same number of threads. The
report is written after each part. The accuracy on View 2 embeds 7,701 faces and their mirror images in every
runtime.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.view2_faces import aligned_faces, view2_pairs
from facenet import networks, pretrained
from facenet.cores import cores
from facenet.devices import cpu_threads, resolve_precision
from facenet.embedder import ChunkEmbedder, load_embedder
from facenet.evaluation.distances import combine_flips
from facenet.evaluation.protocol import Protocol, verify
from facenet.export import export
from facenet.model import CARD, WEIGHTS, ModelCard, NetworkCard, save_model
from facenet.model_folder import load_parts
from facenet.runtimes import RUNTIMES, load_graph_embedder
from tasks.commands.recipes import compose
from tasks.downloads import locate
from tasks.entry import stage_main
from tasks.params import Params, parse_params
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "export.json"
RECIPES = ("pretrained", "casia")
FACES = 500  # compared one by one with torch
BATCH = 32


def main() -> None:
    """Measure, write reports/benchmarks/export.json after each part, and print the headline."""
    arguments = parse()
    report: dict[str, Any] = {"machine": machine.description(), "threads": arguments.threads, "models": {}}
    with cpu_threads(arguments.threads), tempfile.TemporaryDirectory(prefix="facenet-benchmark-") as scratch:
        for recipe in arguments.recipes:
            workspace = arguments.workspace or Path(scratch)
            for found in measure(recipe, workspace / recipe, arguments):
                report["models"].setdefault(recipe, {}).update(found)
                cosines = [
                    model["cosine_min"] for model in report["models"].values() if "cosine_min" in model
                ]
                report["cosine_min"] = min(cosines, default=None)
                write_report(REPORT, report)
                say(f"{recipe}: {found}")
    for recipe, found in report["models"].items():
        sys.stdout.write(f"{recipe}: cosine at least {found['cosine_min']}, {found['images_per_second']}\n")


def parse() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Compare exported networks with torch, on LFW.")
    add = parser.add_argument
    add("recipes", nargs="*", default=["pretrained"], help=f"models: {', '.join(RECIPES)}")
    add("--rounds", type=int, default=5)
    add("--faces", type=int, default=256, help="faces per round")
    add("--speed-only", action="store_true", help="skip the accuracy on View 2")
    add("--workspace", type=Path, help="folder to keep the aligned faces in, for the next run")
    add("--threads", type=int, default=cores())
    return parser.parse_args()


def measure(recipe: str, folder: Path, arguments: argparse.Namespace) -> Any:
    """Yield parity, speed and accuracy of one model as they are measured."""
    params = parse_params(compose(recipe, "on-lfw-view2"))
    source = model_of(recipe, params, folder / "model")
    sizes = {path.name: path.stat().st_size for path in export(source, folder / "exported")}
    yield {"megabytes": {name: round(size / 2**20, 2) for name, size in sizes.items()}}
    photos, pairs = view2_pairs()
    if arguments.speed_only:
        photos = photos[:: len(photos) // FACES][:FACES]
    aligner = load_parts(source, device="cpu", batch_size=BATCH).aligner
    faces = aligned_faces(photos, aligner, folder / f"faces-{len(photos)}.npy")
    sides = embedders(source, folder / "exported")
    step = len(faces) // FACES
    yield parity(sides, faces[::step][:FACES])
    yield speed(sides, faces[: arguments.faces], arguments.rounds)
    if not arguments.speed_only:
        protocol = Protocol(
            metric=params.evaluate.distance, subtract_mean=params.evaluate.subtract_mean, far=1e-3
        )
        accuracy: dict[str, Any] = {}
        for name in ("torch", *RUNTIMES):  # make bench-evaluate compares precisions
            embedder = sides[name]
            embedded = embedder.embed(faces)
            mirrored = embedder.embed_flipped(faces) if params.evaluate.flip != "none" else None
            rows = combine_flips(embedded, mirrored, params.evaluate.flip)
            accuracy[name] = round(float(np.mean(verify(rows, pairs, protocol).accuracies)), 5)
            yield {"view2_accuracy": dict(accuracy), "view2_pairs": len(pairs.same)}


def model_of(recipe: str, params: Params, folder: Path) -> Path:
    """Return a folder with the model of a recipe without training."""
    if recipe == "pretrained":
        return pretrained.folder()
    train = params.train
    assert train.init is not None
    spec = NetworkCard(
        name=train.network,
        embedding_size=train.embedding_size,
        image_size=train.image_size,
        variant=train.variant,
    )
    network = networks.build(spec.name, embedding_size=spec.embedding_size, variant=spec.variant)
    networks.load_state(network, locate(train.init))
    align, kind = params.align.model_dump(mode="json"), train.standardisation
    card = ModelCard(network=spec, align=align, standardisation=kind)
    save_model(network, card, weights=folder / WEIGHTS, card_path=folder / CARD)
    return folder


def embedders(source: Path, exported: Path) -> dict[str, ChunkEmbedder]:
    """Return the embedder of each runtime; that of torch also in bf16 where the processor multiplies it."""
    precisions = ["fp32"]
    if resolve_precision("auto", torch.device("cpu")) == "bf16":
        precisions.append("bf16")
    sides: dict[str, ChunkEmbedder] = {}
    for precision in precisions:
        name = "torch" if precision == "fp32" else f"torch_{precision}"
        weights, card = source / WEIGHTS, source / CARD
        sides[name], _ = load_embedder(weights, card, device="cpu", batch_size=BATCH, precision=precision)
    for runtime in RUNTIMES:
        sides[runtime], _ = load_graph_embedder(exported, runtime, batch_size=BATCH)
    return sides


def parity(sides: dict[str, ChunkEmbedder], faces: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the smallest cosine, over faces, of each runtime's embeddings with torch's in fp32."""
    expected = sides["torch"].embed(faces)
    cosines = {}
    for name in sides.keys() - {"torch"}:
        found = sides[name].embed(faces)
        lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
        cosines[name] = float(((expected * found).sum(axis=1) / lengths).min())
    exported = min(cosines[name] for name in RUNTIMES)
    return {
        "cosine_min": round(exported, 7),
        "cosines": {name: round(cosines[name], 7) for name in sorted(cosines)},
        "faces": len(faces),
    }


def speed(sides: dict[str, ChunkEmbedder], faces: NDArray[np.uint8], rounds: int) -> dict[str, Any]:
    """Return the median images per second over alternating rounds, after a warm-up."""
    for embedder in sides.values():
        embedder.embed(faces[:BATCH])
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, embedder in sides.items():
            began = time.perf_counter()
            embedder.embed(faces)
            rates[name].append(len(faces) / (time.perf_counter() - began))
    return {
        "images_per_second": {name: round(statistics.median(found), 1) for name, found in rates.items()},
        "rounds": rounds,
        "faces_per_round": len(faces),
    }


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    stage_main(main)
