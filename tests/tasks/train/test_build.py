import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from facenet.errors import ParamsInvalid
from facenet.losses import CenterLoss
from facenet.losses.arcface import ArcFaceLoss
from facenet.losses.contrastive import ContrastiveLoss
from facenet.losses.triplet import TripletLoss
from facenet.model import load_model
from facenet.training import ColourJitter, UpdateOptions
from tasks.commands.recipes import compose, recipe_names
from tasks.params import Params, parse_params
from tasks.train import build
from tasks.train.stage import run
from tests.tasks.train.conftest import SIDE, SMALL, places, plan_triplets, small_params

DATA = {"aligned": "a" * 64, "triplets": "b" * 64}


def key(root: Path, data: dict[str, str] = DATA, precision: str = "fp32", **overrides: dict[str, Any]) -> str:
    parameters = build.sections(small_params(root, **overrides))
    return build.run_key(parameters, data, device="cpu", precision=precision)


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
    schedule = build.build_schedule(train, steps_per_epoch=10)
    assert (schedule.last_epoch, schedule(59 * 10)) == (90, 0.005)
    augmentation = build.build_augmentation(train)
    assert (augmentation.image_size, augmentation.random_crop) == (66, False)
    assert (augmentation.shift, augmentation.flip) == (3, False)


def test_a_schedule_comes_from_a_file(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "schedule.txt"
    file.write_text("# CASIA\n0: 0.05\n60: 0.005\n91: -1\n")
    table = {"kind": "steps", "rate": 1.0, "warmup": 0.0, "file": str(file)}
    train = small_params(root, train={"schedule": table, "epochs": 150}).train
    schedule = build.build_schedule(train, steps_per_epoch=10)
    assert (schedule.last_epoch, schedule(59 * 10 - 1), schedule(59 * 10)) == (90, 0.05, 0.005)
    file.write_text("0: 0.05\n60 0.005\n")
    with pytest.raises(ParamsInvalid, match=r"schedule\.txt, line 2"):
        build.build_schedule(train, steps_per_epoch=10)


def test_rotation_and_colours_are_those_of_the_parameters(root: Path) -> None:
    colours = {"brightness": 0.1, "contrast": 0.2, "saturation": 0.3, "hue": 0.4}
    augmentation = build.build_augmentation(
        small_params(root, train={"rotation": 5.0, "zoom": 0.2, **colours}).train
    )
    assert (augmentation.rotation, augmentation.zoom) == (5.0, 0.2)
    assert augmentation.colour == ColourJitter(**colours)
    assert not build.build_augmentation(small_params(root).train).colour.on


def test_options_are_those_of_the_parameters(root: Path) -> None:
    train = small_params(
        root, train={"clip_norm": 2.0, "ema": 0.9, "compile": True, "gradient_normalisation": "l2_per_layer"}
    ).train
    layer = torch.nn.Linear(1, 1)
    options = build.build_options(train, frozen=[layer])
    assert options == UpdateOptions(
        clip_norm=2.0, ema=0.9, compiled=True, frozen=[layer], gradient_normalisation="l2_per_layer"
    )


def test_networks_of_one_seed_are_equal(root: Path) -> None:
    train = small_params(root).train
    one, same, other = (build.build_network(train, init=None, seed=seed) for seed in (1, 1, 2))
    assert (one.last_linear.weight == same.last_linear.weight).all()
    assert (one.last_linear.weight != other.last_linear.weight).any()


def test_a_variant_reaches_the_network_and_an_unknown_one_is_rejected(root: Path) -> None:
    train = small_params(root, train={"network": "densenet121", "variant": "siamese"}).train
    network = build.build_network(train, init=None, seed=1)
    assert (network.variant, network.normalised) == ("siamese", False)
    train = small_params(root, train={"variant": "siamese"}).train
    with pytest.raises(ParamsInvalid, match=r"no variant 'siamese'.*openface, dl4j"):
        build.build_network(train, init=None, seed=1)


def test_parameters_of_the_losses_arrive(root: Path) -> None:
    fields = {"center_factor": 0.01, "center_version": "davidsandberg", "center_rate": 0.05}
    fields |= {"loss": "arcface", "margin": 0.5, "head_share": 0.2, "head_sampled_above": 3}
    center = build.build_loss(
        small_params(root, train=fields).train, classes=6, listed=False, normalised=True
    )
    assert isinstance(center, CenterLoss)
    assert (center.version, center.factor, center.lr) == ("davidsandberg", 0.01, 0.05)
    assert isinstance(center.head, ArcFaceLoss)
    assert (center.head.margin, center.head.share, center.head.sampled_above) == (0.5, 0.2, 3)
    params = small_params(
        root, triplets={"plan": "pk"}, train={"loss": "triplet", "triplet_reduction": "sum"}
    )
    triplet = build.build_loss(params.train, classes=6, listed=False, normalised=False)
    assert isinstance(triplet, TripletLoss)
    assert (triplet.reduction, triplet.listed, triplet.normalised) == ("sum", False, False)
    params = small_params(root, triplets={"plan": "pairs"}, train={"loss": "contrastive", "margin": 2.0})
    contrastive = build.build_loss(params.train, classes=6, listed=True, normalised=False)
    assert isinstance(contrastive, ContrastiveLoss)
    assert (contrastive.margin, contrastive.listed, contrastive.normalised) == (2.0, True, False)


def shrunk(root: Path, name: str, *, triplets: dict[str, Any] | None = None, **train: Any) -> Params:
    """Return a recipe for the small workspace: two steps of its own network and loss."""
    values = yaml.safe_load(compose(name, folder=root / "recipes"))
    values["base"] |= SMALL["base"]
    values["align"] |= {"image_size": SIDE}
    few = {"validation_fraction": 0.25, "max_rows": 12, "people_per_batch": 3, "images_per_person": 4}
    values["triplets"] |= few | (triplets or {})
    values["train"] |= {"image_size": 75, "embedding_size": 16, "epochs": 1, "batch_size": 12, **train}
    return parse_params(yaml.safe_dump(values))


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where weights are looked for."""
    monkeypatch.setenv("FACENET_MIRRORS", str(tmp_path))
    return tmp_path


SMALLER = {"network": "nn4_small2", "mining": "listed"}  # in seconds, where the network is not the point
TRIPLET = {"d_ap", "d_an", "active_share"}
EXEMPLARS = {"plan": "exemplars", "exemplars": 24}


@pytest.mark.parametrize(
    ("name", "triplets", "train", "metrics"),
    [
        ("arcface", {}, {}, {"cross_entropy", "accuracy"}),
        ("cosface", {}, {}, {"cross_entropy", "accuracy"}),
        ("inception-softmax", {}, {}, {"cross_entropy", "prelogits_norm"}),
        ("casia-finetune", {}, {}, {"cross_entropy", "accuracy"}),
        ("nn4small2-center", {}, {}, {"cross_entropy", "center"}),
        (
            "nn4small2-center",
            {},
            {"loss": "softmax_squared", "center_version": "dl4j", "center_rate": 0.9},
            {"squared_error", "center"},
        ),
        ("siamese-densenet", {}, {}, {"similarity", "dissimilarity"}),
        ("siamese-densenet", {}, {"variant": "siamese"}, {"similarity", "dissimilarity"}),
        ("facenet-inception-triplet", {}, {}, TRIPLET),
        ("facenet-inception-triplet", EXEMPLARS, SMALLER, {*TRIPLET, "mined_triplets"}),
        (
            "facenet-inception-triplet",
            {**EXEMPLARS, "selection": "davidsandberg", "exemplars_mode": "training"},
            SMALLER,
            {*TRIPLET, "mined_triplets"},
        ),
        ("facenet-nn1-triplet", {}, {}, {*TRIPLET, "mined_triplets"}),
        ("facenet-nn1-triplet", {}, {"variant": "faithful", "margin": 100.0}, {*TRIPLET, "mined_triplets"}),
    ],
)
def test_published_systems_train_two_steps(
    workspace: Path,
    root: Path,
    given: Path,
    name: str,
    triplets: dict[str, Any],
    train: dict[str, Any],
    metrics: set[str],
) -> None:
    params = shrunk(root, name, triplets=triplets, **train)
    if params.train.init:
        network = build.build_network(params.train, init=None, seed=9)
        save_file(network.state_dict(), given / params.train.init)
    plan_triplets(workspace, params)
    report = run(params, places(workspace))
    mined = "mined_triplets" in metrics  # fewer where an epoch has found less
    assert report["steps"] == 2 or (mined and 1 <= report["steps"] <= 5)
    assert math.isfinite(report["loss"])
    assert metrics <= set(report["figures"])
    assert ("accuracy" in report["evaluation"]) == (params.train.evaluate_every > 0)
    network, card = load_model(workspace / "models/facenet.safetensors", workspace / "models/model.json")
    assert card.network.name == params.train.network
    assert network.variant == card.network.variant == (params.train.variant or next(iter(network.variants)))


@pytest.mark.parametrize("mining", ["all", "listed"])
def test_the_loss_sees_the_listed_pairs_alone_or_every_two_images(
    workspace: Path, root: Path, mining: str
) -> None:
    params = shrunk(root, "siamese-densenet", triplets={}, mining=mining)
    plan_triplets(workspace, params)
    report = run(params, places(workspace))
    assert report is not None
    listed = params.train.batch_size // 2
    assert (report["figures"]["pairs"] == listed) == (mining == "listed")
    assert report["figures"]["pairs"] >= listed


def test_every_recipe_of_a_published_system_is_trained_here(root: Path) -> None:
    marks = test_published_systems_train_two_steps.pytestmark  # type: ignore[attr-defined]  # pytest
    trained = {case[0] for mark in marks for case in mark.args[1]}
    ready = {"default", "photos", "lfw-view1", "on-lfw-view1", "on-lfw-view2", "pretrained", "casia"}
    ready |= {"finetune"}  # trained in test_init.py: its network takes larger faces
    others = set(recipe_names(root / "recipes")) - ready
    assert trained == {name for name in others if not name.startswith(("orl-", "faithful/"))}
