"""Plant wrong names into LFW and count what the audit finds: `make bench-audit`.

Into LFW deep-funneled, with a fixed seed: 20 people with at least 6 photos are divided into two folders, 20
pairs of folders with at least 4 photos are joined, and 2 % of the photos in folders with at least 4 get the
name of another such person. The audit sees names and embeddings, at its default settings, and photos are
judged if their folder has at least 4. LFW's own label errors count as false findings. Needs LFW in
FACENET_MIRRORS, and the CASIA-WebFace weights for the model casia. The first run embeds all photos, which
takes minutes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks import machine
from benchmarks.audit_noise import Noise, plant
from benchmarks.export import model_of
from benchmarks.identify_faces import lfw_faces
from facenet import FaceModel
from facenet.audit import Findings, audit, steps
from tasks.commands.recipes import compose
from tasks.entry import stage_main
from tasks.params import parse_params
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "audit.json"
FOLDER = Path(".dvc") / "tmp" / "identify"  # shared with bench-identify, ignored by Git and DVC
MODELS = ("pretrained", "casia")
SEVERAL = 4  # photos of a folder that is judged

Names = npt.NDArray[np.str_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write reports/benchmarks/audit.json, with the first model's results at the top, and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description="Audit LFW with errors.")
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the planted errors (default: 0)")
    add("--models", nargs="+", choices=MODELS, default=list(MODELS), help="default: all")
    add("--folder", type=Path, default=FOLDER, help=f"of photos and embeddings (default: {FOLDER})")
    add("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {}
    for name in asked.models:
        faces = lfw_faces(load(name, asked.folder), asked.folder)
        report |= {name: measure(faces.templates, faces.names, asked.seed)}
        write_report(asked.report, {**report[asked.models[0]], **report, "seed": asked.seed} | described())
        sys.stdout.write("".join(f"{name}: {kind}: {found}\n" for kind, found in report[name].items()))


def load(name: str, folder: Path) -> FaceModel:
    """Return a model of MODELS; one without a calibration has embeddings instead of templates."""
    source = model_of(name, parse_params(compose(name, "on-lfw-view2")), folder / "model")
    return FaceModel.load(source, runtime="auto", site=False)


def measure(templates: npt.NDArray[np.float32], names: Names, seed: int) -> dict[str, Any]:
    """Return precision and recall of each kind of error, and the photos flagged in LFW as it is."""
    noise = plant(names, np.random.default_rng(seed))
    found, clean = (audited(templates, these) for these in (noise.names, names))
    flagged = judged(found, noise.names)
    splits = {tuple(sorted((split.first, split.second))) for split in found.splits}
    merged = {merge.identity for merge in found.merges}
    return {
        "mislabelled": counted(flagged, set(noise.moved.tolist())),
        "split": counted(splits, set(noise.split)),
        "merged": counted(merged, set(noise.merged)),
        "suggestions": suggestions(found, noise, names),
        "flagged_on_clean": len(judged(clean, names)),
    }


def audited(templates: npt.NDArray[np.float32], names: Names) -> Findings:
    """Return what the audit finds at its default settings."""
    with tqdm(total=steps(len(names)), desc="audit", unit="face", mininterval=1, file=sys.stderr) as bar:
        return audit(templates, names, tick=bar.update)


def judged(found: Findings, names: Names) -> set[int]:
    """Return the flagged photos of folders with several photos."""
    folders, counts = np.unique(names, return_counts=True)
    large = set(folders[counts >= SEVERAL].tolist())
    return {outlier.face for outlier in found.outliers if outlier.identity in large}


def counted(flagged: set[Any], planted: set[Any]) -> dict[str, Any]:
    """Return precision and recall of what was flagged, and their counts."""
    hits = len(flagged & planted)
    return {
        "precision": round(hits / len(flagged), 4) if flagged else None,
        "recall": round(hits / len(planted), 4) if planted else None,
        "flagged": len(flagged),
        "planted": len(planted),
    }


def suggestions(found: Findings, noise: Noise, names: Names) -> dict[str, int]:
    """Return for how many moved photos an identity was suggested, and the correct one."""
    moved = set(noise.moved.tolist())
    given = [o for o in found.outliers if o.face in moved and o.suggested is not None]
    correct = sum(o.suggested in noise.folders_of[str(names[o.face])] for o in given)
    return {"given": len(given), "correct": correct}


def described() -> dict[str, str]:
    """Return what the figures depend on."""
    return {"photos": "LFW deep-funneled", "machine": machine.description()}


if __name__ == "__main__":
    stage_main(main)
