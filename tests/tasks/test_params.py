"""params.yaml as a whole: reading, section base, rules across sections, and where errors are reported."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from sklearn.svm import LinearSVC

from facenet.errors import ParamsInvalid
from tasks.params import Params, load_params, parse_params
from tasks.params.sources import OrlSource
from tests.tasks.params.changed import DEFAULT, parsed, refusal, refused


@pytest.fixture(scope="session")
def default(root: Path) -> str:
    return (root / "recipes" / "default.yaml").read_text()


def test_the_params_of_this_workspace_are_valid(root: Path) -> None:
    assert isinstance(parse_params((root / "params.yaml").read_text()), Params)


def test_values_arrive_with_their_types(default: str) -> None:
    params = parse_params(default)
    assert params.base.seed == 666
    assert params.ingest.sources == (OrlSource(kind="orl"),)
    assert params.align.thresholds == (0.6, 0.7, 0.7)
    assert params.train.schedule.steps == {}
    assert params.train.init is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("base.seed", -1),
        ("base.device", "tpu"),
        ("base.device", "cuda:x"),
        ("base.precision", "fp8"),
        ("base.unknown", 1),
        ("base.seed", 2**32),
        ("base.seed", 2**64),
        ("base.seed", 10**30),
        ("base.seed", True),
    ],
)
def test_an_invalid_value_of_base_is_refused(key: str, value: Any) -> None:
    refused(key, value)


@pytest.mark.parametrize("section", ["base", "ingest", "align", "triplets", "train", "evaluate", "register"])
def test_a_missing_section_or_key_is_named(default: str, section: str) -> None:
    params = yaml.safe_load(default)
    key = next(iter(params[section]))
    del params[section][key]
    with pytest.raises(ParamsInvalid, match=rf"{section}\.{key}: Field required"):
        parse_params(yaml.safe_dump(params))
    del params[section]
    with pytest.raises(ParamsInvalid, match=rf"  {section}: "):
        parse_params(yaml.safe_dump(params))


def test_all_mistakes_are_reported_together() -> None:
    message = refusal({"train.epochs": -1, "evaluate.far": 2, "ingest.unknown": 1})
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [
        "ingest.unknown",
        "train.epochs",
        "evaluate.far",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.image_size": 113}, "train.image_size 113 is larger than align.image_size 112"),
        (
            {"train.loss": "triplet"},
            "triplet requires triplets.plan pk or triplets or exemplars, not images",
        ),
        (
            {"train.accumulate": 2, "triplets.plan": "pk"},
            "train.accumulate requires triplets.plan images",
        ),
        ({"train.loss": "contrastive"}, "contrastive requires triplets.plan pk or pairs, not images"),
        ({"triplets.plan": "pairs"}, "cosface requires triplets.plan images or pk or triplets, not pairs"),
        (
            {"train.loss": "softmax", "triplets.plan": "exemplars"},
            "softmax requires triplets.plan images or pk or triplets, not exemplars",
        ),
        (
            {"train.loss": "softmax", "triplets.plan": "triplets", "triplets.remine": "epoch"},
            "triplets.remine is only valid with train.loss triplet, not softmax",
        ),
        (
            {"train.loss": "triplet", "triplets.plan": "pk", "train.mining": "listed"},
            "train.mining listed requires triplets.plan triplets or exemplars, not pk",
        ),
        (
            {"train.loss": "triplet", "triplets.plan": "exemplars", "train.steps_per_epoch": 9},
            "train.steps_per_epoch must be null if triplets are mined before each epoch",
        ),
        (
            {
                "train.loss": "triplet",
                "triplets.plan": "triplets",
                "triplets.remine": "epoch",
                "train.steps_per_epoch": 9,
            },
            "train.steps_per_epoch must be null if triplets are mined before each epoch",
        ),
        (
            {"train.schedule.file": "x.txt"},
            "train.schedule: file requires kind steps, not one_cycle",
        ),
        (
            {
                "train.schedule.kind": "steps",
                "train.schedule.file": "x.txt",
                "train.schedule.steps": {0: 0.1},
            },
            "train.schedule: file and steps are both set: keep one",
        ),
    ],
)
def test_sections_that_contradict_each_other(changes: dict[str, Any], message: str) -> None:
    assert message in refusal(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"train.image_size": 112},
        {"train.accumulate": 2},
        {"train.loss": "triplet", "triplets.plan": "exemplars", "train.mining": "listed"},
        {"train.loss": "contrastive", "triplets.plan": "pk"},
    ],
)
def test_sections_that_agree(changes: dict[str, Any]) -> None:
    assert isinstance(parsed(changes), Params)


@pytest.mark.parametrize(
    ("loss", "plan", "mining", "triplets_as_listed", "pairs_as_listed"),
    [
        ("triplet", "triplets", "listed", True, False),
        ("triplet", "triplets", "semihard", False, False),
        ("contrastive", "pairs", "semihard", False, True),
        ("contrastive", "pairs", "all", False, False),
    ],
)
def test_whether_the_loss_uses_the_plan_as_listed(
    loss: str, plan: str, mining: str, triplets_as_listed: bool, pairs_as_listed: bool
) -> None:
    params = parsed({"train.loss": loss, "triplets.plan": plan, "train.mining": mining})
    assert (params.triplets_as_listed, params.pairs_as_listed) == (triplets_as_listed, pairs_as_listed)


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "base: {seed: 1"])
def test_text_that_is_not_a_mapping_of_sections(text: str) -> None:
    with pytest.raises(ParamsInvalid, match=r"params\.yaml is not"):
        parse_params(text)


def numbers(section: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number in nested parameters by its dotted key."""
    for key, value in section.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}", value


@pytest.mark.parametrize("key", [key for key, _ in numbers(yaml.safe_load(DEFAULT))])
def test_no_number_may_be_nan_infinite_or_a_boolean(key: str) -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        refused(key, value)
    message = "a gate is a number" if key.startswith("register.gates") else "a number is required, got True"
    assert f"  {key}: {message}" in refusal({key: True})


def test_a_message_has_key_range_and_value() -> None:
    assert refusal({"train.dropout": 1.5}).splitlines()[1] == (
        "  train.dropout: Input should be less than 1, got 1.5"
    )
    assert refusal({"register.model": date(2024, 2, 29)}).splitlines()[1] == (
        "  register.model: Input should be a valid string, got datetime.date(2024, 2, 29)"
    )


def test_the_largest_seed_works_for_every_generator() -> None:
    seed = parsed({"base.seed": 2**32 - 1}).base.seed
    torch.manual_seed(seed)
    np.random.default_rng([seed, 1])
    LinearSVC(random_state=seed).fit([[0.0], [1.0]], [0, 1])


def test_params_are_frozen(default: str) -> None:
    params = parse_params(default)
    with pytest.raises(Exception, match="frozen"):
        params.train.epochs = 3  # type: ignore[misc]  # must fail at run time too
    with pytest.raises(Exception, match="cannot assign"):
        params.train = params.train  # type: ignore[misc]  # the same


def test_loading_without_a_file_says_where_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_params.cache_clear()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsInvalid, match=r"no params\.yaml in .*Run from the root"):
        load_params()


def test_loading_reads_the_file_once(default: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_params.cache_clear()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(default)
    first = load_params()
    (tmp_path / "params.yaml").write_text("broken")
    assert load_params() is first
    load_params.cache_clear()
