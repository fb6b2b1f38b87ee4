"""The recipes in recipes/faithful run on the embedded sample; nothing but their number of steps is shrunk.

`make test-recipes` sets FACENET_FIRST_STEPS and runs the first 20 steps of each with nothing changed but the
source of the photos, in about half an hour. docs/recipes.md lists each of their values next to the source's
statement and the tuned recipe's value.
"""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from facenet.model import ModelCard
from facenet.training import StepReport
from tasks.align import stage as align
from tasks.commands.recipes import compose, recipe_names
from tasks.ingest import stage as ingest
from tasks.params import Params, parse_params
from tasks.train.record import Recorder
from tasks.train.setup import TrainPaths
from tasks.train.stage import run
from tasks.triplets import stage as triplets

# One epoch of a few steps, so that the largest networks and batches fit a test on one core. An epoch of mined
# triplets has no fixed number of steps: it is shortened by mining fewer.
SHRUNK: dict[str, dict[str, dict[str, int]]] = {
    "faithful/nn4small2-center": {"train": {"steps_per_epoch": 20}},
    "faithful/inception-triplet-svm": {"triplets": {"people_per_batch": 6}},
    "faithful/siamese-densenet": {"train": {"steps_per_epoch": 2}},
    "faithful/softmax": {"train": {"steps_per_epoch": 2}},
    "faithful/nn1-notebook": {"triplets": {"max_rows": 8}},
}
FIRST_STEPS = int(os.environ.get("FACENET_FIRST_STEPS", "0"))  # 0: those of SHRUNK
MOST_STEPS = 20


class EnoughSteps(Exception):
    """The first steps are done."""


def shrunk(name: str, root: Path) -> Params:
    """Return a recipe on the embedded sample; unless FIRST_STEPS, with one epoch of a few steps."""
    values = yaml.safe_load(compose(name, folder=root / "recipes"))
    values["base"]["device"] = "cpu"
    values["ingest"]["sources"] = [{"kind": "orl"}]
    if not FIRST_STEPS:
        values["train"]["epochs"] = 1
        for section, fields in SHRUNK[name].items():
            values[section] |= fields
    return parse_params(yaml.safe_dump(values))


def train(params: Params) -> dict[str, Any]:
    """Run the stages up to train in the working directory."""
    ingest.run(params.ingest, seed=params.base.seed, raw=Path("data/raw"), workers=1)
    align.run(params.align, device="cpu")
    triplets.run(
        params.triplets,
        seed=params.base.seed,
        allow_identity_overlap=params.ingest.allow_identity_overlap,
        with_evaluation_pairs=params.train.evaluate_every > 0,
    )
    report = run(params, TrainPaths())
    assert report is not None
    return report


ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+) \| (.+) \| (.+?) \|$", re.MULTILINE)
SYSTEM = re.compile(r"^Faithful: `(?P<faithful>[\w/-]+)`. Tuned: `(?P<tuned>[\w-]+)`.$", re.MULTILINE)


def tables(root: Path) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Return the rows of docs/recipes.md by their faithful and tuned recipe."""
    parts = SYSTEM.split((root / "docs" / "recipes.md").read_text())[1:]
    return {
        (faithful, tuned): [row for row in ROW.findall(text) if row[1] not in ("our key", "---")]
        for faithful, tuned, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and key != "steps":
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_the_documented_values_are_those_of_the_recipes(root: Path) -> None:
    found = tables(root)
    assert sorted(faithful for faithful, _ in found) == sorted(SHRUNK)
    for names, rows in found.items():
        recipes = [yaml.safe_load(compose(name, folder=root / "recipes")) for name in names]
        keyed = [(row, row[1].strip("`")) for row in rows if row[1] != "none"]
        for (statement, _, *cells, reason), key in keyed:
            values = [at(recipe, key) for recipe in recipes]
            assert [yaml.safe_load(cell.strip("`")) for cell in cells] == values, (names, key)
            assert (reason == "same") == (values[0] == values[1]), (names, key, statement)
        assert all(cell.strip() for row in rows for cell in row)
        overlay = yaml.safe_load((root / "recipes" / f"{names[0]}.yaml").read_text())
        assert set(leaves(overlay)) <= {key for _, key in keyed}, names


def test_every_faithful_recipe_is_run_here(root: Path) -> None:
    names = recipe_names(root / "recipes")
    assert set(SHRUNK) == {name for name in names if name.startswith("faithful/")}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SHRUNK))
def test_the_first_losses_are_finite(
    mlflow_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "1")
    losses: list[float] = []
    log = Recorder.step

    def step(recorder: Recorder, report: StepReport) -> None:
        losses.append(report.loss)
        log(recorder, report)
        if len(losses) == FIRST_STEPS:
            raise EnoughSteps

    monkeypatch.setattr(Recorder, "step", step)
    params = shrunk(name, root)
    if FIRST_STEPS:
        with pytest.raises(EnoughSteps):
            train(params)
    else:
        assert train(params)["steps"] == len(losses) <= MOST_STEPS
        card = ModelCard.read(mlflow_store / "models" / "model.json")
        assert card.standardisation == params.train.standardisation
        assert card.network.image_size == params.train.image_size
    assert losses
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[0] != losses[-1]
