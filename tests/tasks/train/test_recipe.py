from pathlib import Path
from typing import Any

import torch

from facenet.training import ColourJitter, UpdateOptions
from tasks.train import recipe
from tests.tasks.train.conftest import small_params

DATA = {"aligned": "a" * 64, "triplets": "b" * 64}


def key(root: Path, data: dict[str, str] = DATA, precision: str = "fp32", **overrides: dict[str, Any]) -> str:
    parameters = recipe.sections(small_params(root, **overrides))
    return recipe.run_key(parameters, data, device="cpu", precision=precision)


def test_the_key_changes_with_whatever_changes_the_weights(root: Path) -> None:
    keys = [
        key(root),
        key(root, {**DATA, "aligned": "c" * 64}),
        key(root, precision="bf16"),
        key(root, base={"seed": 6}),
        key(root, triplets={"plan": "pk"}),
        key(root, train={"epochs": 3}),
    ]
    assert len(set(keys)) == len(keys)


def test_the_key_does_not_change_with_what_comes_after(root: Path) -> None:
    assert key(root) == key(root, evaluate={"far": 0.01}, register={"model": "other"})


def test_schedule_and_augmentation_are_those_of_the_parameters(root: Path) -> None:
    table = {"kind": "steps", "rate": 1.0, "warmup": 0.0, "steps": {0: 0.05, 60: 0.005, 91: -1.0}}
    train = small_params(
        root, train={"schedule": table, "epochs": 150, "random_crop": False, "shift": 3, "flip": False}
    ).train
    schedule = recipe.build_schedule(train, steps_per_epoch=10)
    assert (schedule.last_epoch, schedule(59 * 10)) == (90, 0.005)
    augmentation = recipe.build_augmentation(train)
    assert (augmentation.image_size, augmentation.random_crop) == (66, False)
    assert (augmentation.shift, augmentation.flip) == (3, False)


def test_rotation_and_colours_are_those_of_the_parameters(root: Path) -> None:
    colours = {"brightness": 0.1, "contrast": 0.2, "saturation": 0.3, "hue": 0.4}
    augmentation = recipe.build_augmentation(small_params(root, train={"rotation": 5.0, **colours}).train)
    assert augmentation.rotation == 5.0
    assert augmentation.colour == ColourJitter(**colours)
    assert not recipe.build_augmentation(small_params(root).train).colour.on


def test_options_are_those_of_the_parameters(root: Path) -> None:
    train = small_params(root, train={"clip_norm": 2.0, "ema": 0.9, "compile": True}).train
    layer = torch.nn.Linear(1, 1)
    options = recipe.build_options(train, frozen=[layer])
    assert options == UpdateOptions(clip_norm=2.0, ema=0.9, compiled=True, frozen=[layer])


def test_networks_of_one_seed_are_equal(root: Path) -> None:
    train = small_params(root).train
    one, same, other = (recipe.build_network(train, init=None, seed=seed) for seed in (1, 1, 2))
    assert (one.last_linear.weight == same.last_linear.weight).all()
    assert (one.last_linear.weight != other.last_linear.weight).any()
