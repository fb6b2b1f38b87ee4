"""Where worse photos begin to cost matches: the evidence for the limits of the enrolment checks.

`python -m benchmarks.enrolment` degrades one photo of each pair of one person, from LFW View 2, step by step:
smaller, blurred, darker or brighter. For each step it reports the quality that `FaceModel` measures (its
quantiles 0.01, 0.05, 0.5, 0.95 and 0.99) and the fraction of pairs that still match at the model's default
threshold. Needs LFW in FACENET_MIRRORS.
"""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from benchmarks import machine
from benchmarks.stage import LFW, MAX_FILE_BYTES
from facenet import FaceModel
from facenet.results import Face
from tasks.downloads import locate
from tasks.entry import stage_main
from tasks.ingest.archives import members
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "enrolment.json"
WIDTH = 250  # of the photos of LFW
SCALES = (1.0, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2)
BLURS = (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)  # standard deviation in pixels
LIGHT = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)  # factors of all values
BRIGHT = (1.0, 1.5, 2.0, 3.0, 4.0)
Change = Callable[[Image.Image], Image.Image]


def main() -> None:
    """Measure, write reports/benchmarks/enrolment.json and print a table."""
    parser = argparse.ArgumentParser(description="Measure what worse photos cost.")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--model", default="pretrained")
    options = parser.parse_args()
    model = FaceModel.load(options.model)
    pairs = read_pairs(options.pairs)
    photos = read_photos({name for pair in pairs for name in pair})
    right = model.embed([photos[name] for _, name in pairs])
    report: dict[str, Any] = {"model": model.origin, "pairs": len(pairs)}
    for kind, steps in changes().items():
        report[kind] = [
            {"step": step, **cost(model, [apply(photos[name], change) for name, _ in pairs], right)}
            for step, change in steps.items()
        ]
        for row in report[kind]:
            sys.stdout.write(f"{kind} {row}\n")
            sys.stdout.flush()
    write_report(REPORT, {**report, "machine": machine.description()})


def changes() -> dict[str, dict[float, Change]]:
    """Return the steps of each kind of change."""
    return {
        "smaller": {step: lambda image, s=step: _scaled(image, s) for step in SCALES},  # type: ignore[misc]
        "blurred": {
            step: lambda image, s=step: image.filter(ImageFilter.GaussianBlur(s))  # type: ignore[misc]
            for step in BLURS
        },
        "darker": {
            step: lambda image, s=step: image.point(lambda v: min(255, v * s))  # type: ignore[misc]
            for step in LIGHT
        },
        "brighter": {
            step: lambda image, s=step: image.point(lambda v: min(255, v * s))  # type: ignore[misc]
            for step in BRIGHT
        },
    }


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    side = round(WIDTH * factor)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def apply(photo: bytes, change: Change) -> bytes:
    """Return a changed photo, as a lossless file."""
    file = io.BytesIO()
    change(Image.open(io.BytesIO(photo)).convert("RGB")).save(file, "png")
    return file.getvalue()


def cost(model: FaceModel, left: list[bytes], right: list[Any]) -> dict[str, Any]:
    """Return the quality of the changed photos, and how many still match."""
    faces = model.embed(left)
    found = [(a, b) for a, b in zip(faces, right, strict=True) if isinstance(a, Face) and isinstance(b, Face)]
    assert model.matcher is not None
    distances = np.array(
        [
            model.matcher.template_distances(a.template[None], b.template[None])[0, 0]  # type: ignore[index]
            for a, b in found
        ]
    )
    qualities = [face.quality for face, _ in found if face.quality is not None]
    row: dict[str, Any] = {
        "no_face": round(1 - len(found) / len(left), 3),
        "matched": round(float(np.mean(distances <= model.matcher.threshold)), 3) if len(found) else None,
        "distance": round(float(np.median(distances)), 3) if len(found) else None,
    }
    for name in ("side", "sharpness", "brightness"):
        values = [getattr(quality, name) for quality in qualities]
        if values:
            row[name] = [round(float(v), 1) for v in np.quantile(values, [0.01, 0.05, 0.5, 0.95, 0.99])]
    return row


def read_pairs(count: int) -> list[tuple[str, str]]:
    """Return the first pairs of one person of LFW View 2, spread over its folds."""
    lines = [line.split("\t") for line in locate("pairs.txt").read_text().splitlines()[1:]]
    same = [(_name(p, a), _name(p, b)) for p, a, b in (line for line in lines if len(line) == 3)]
    return same[:: max(1, len(same) // count)][:count]


def _name(person: str, number: str) -> str:
    return f"{person}_{int(number):04d}.jpg"


def read_photos(names: set[str]) -> dict[str, bytes]:
    """Return the bytes of photos of LFW by file name."""
    found = members(locate(LFW), MAX_FILE_BYTES)
    return {Path(f.path).name: f.data for f in found if f.data is not None and Path(f.path).name in names}


if __name__ == "__main__":
    stage_main(main)
