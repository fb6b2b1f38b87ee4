"""params.yaml is typed: what is wrong is named, before any work is done."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from facenet.errors import ParamsInvalid
from tasks.params import Params, load_params, parse_params
from tasks.params.sources import CelebaSource, FolderSource, LfwSource, OrlSource


@pytest.fixture(scope="session")
def default(root: Path) -> str:
    return (root / "recipes" / "default.yaml").read_text()


def with_value(text: str, key: str, value: Any) -> str:
    """Return the YAML text with one dotted key set."""
    params = yaml.safe_load(text)
    *sections, last = key.split(".")
    place = params
    for section in sections:
        place = place[section]
    place[last] = value
    return yaml.safe_dump(params)


def test_the_params_of_this_workspace_are_valid(root: Path) -> None:
    assert isinstance(parse_params((root / "params.yaml").read_text()), Params)


def test_values_arrive_with_their_types(default: str) -> None:
    params = parse_params(default)
    assert params.base.seed == 666
    assert params.ingest.sources == (OrlSource(kind="orl"),)
    assert params.align.thresholds == (0.6, 0.7, 0.7)
    assert params.train.schedule.steps == {}
    assert params.train.init is None


def test_each_kind_of_source(default: str) -> None:
    sources = [
        {"kind": "orl"},
        {"kind": "folder", "path": "photos", "role": "train", "urls": ["https://example.org/a.zip"]},
        {
            "kind": "lfw",
            "pairs": "pairsDevTest.txt",
            "train_people": "peopleDevTrain.txt",
            "sha256": "0" * 64,
        },
        {"kind": "celeba", "images": "img_celeba.zip"},
    ]
    kinds = [
        type(source) for source in parse_params(with_value(default, "ingest.sources", sources)).ingest.sources
    ]
    assert kinds == [OrlSource, FolderSource, LfwSource, CelebaSource]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("base.seed", -1),
        ("base.device", "tpu"),
        ("base.precision", "fp8"),
        ("base.unknown", 1),
        ("ingest.sources", []),
        ("ingest.sources", [{"kind": "vgg"}]),
        ("ingest.sources", [{"kind": "orl", "path": "x"}]),
        ("ingest.sources", [{"kind": "folder"}]),
        ("ingest.sources", [{"kind": "folder", "path": "x", "sha256": "abc"}]),
        ("ingest.sources", [{"kind": "folder", "path": "x", "role": "test"}]),
        ("ingest.folds", 1),
        ("ingest.min_side", 0),
        ("align.min_face", 11),
        ("align.thresholds", [0.6, 0.7]),
        ("align.thresholds", [0.6, 0.7, 1.7]),
        ("align.factor", 1.0),
        ("align.selection", "first"),
        ("align.margin", -1),
        ("align.image_format", "gif"),
        ("triplets.validation_fraction", 1.1),
        ("triplets.plan", "all"),
        ("triplets.images_per_person", 1),
        ("triplets.remine", "step"),
        ("triplets.negatives", "easy"),
        ("triplets.negatives_margin", 0),
        ("triplets.selection", "openface"),
        ("triplets.exemplars", 2),
        ("triplets.exemplars_mode", "both"),
        ("train.validate_every", 0),
        ("train.evaluate_every", -1),
        ("train.dropout", 1.0),
        ("train.loss", "center"),
        ("train.scale", 0),
        ("train.variant", 1),
        ("train.center_factor", -1),
        ("train.center_version", "caffe"),
        ("train.center_rate", 0),
        ("train.head_share", 1.5),
        ("train.head_sampled_above", -1),
        ("train.triplet_reduction", "mean"),
        ("train.epochs", -1),
        ("train.epochs", 1.5),
        ("train.batch_size", 0),
        ("train.schedule.kind", "linear"),
        ("train.schedule.rate", 0),
        ("evaluate.distance", "manhattan"),
        ("evaluate.far", 0),
        ("register.gates", {"accuracy": "high"}),
        ("register.promotion.min_gain", None),
    ],
)
def test_a_wrong_value_is_named(default: str, key: str, value: Any) -> None:
    with pytest.raises(ParamsInvalid, match=rf"params\.yaml is not valid:\n  {key}"):
        parse_params(with_value(default, key, value))


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


def test_all_mistakes_are_told_at_once(default: str) -> None:
    text = with_value(with_value(default, "train.epochs", -1), "evaluate.far", 2)
    with pytest.raises(ParamsInvalid, match=r"(?s)train\.epochs.*evaluate\.far"):
        parse_params(text)


def test_sections_that_contradict_each_other(default: str) -> None:
    with pytest.raises(ParamsInvalid, match=r"train\.image_size 113 is larger than align\.image_size 112"):
        parse_params(with_value(default, "train.image_size", 113))
    with pytest.raises(
        ParamsInvalid, match=r"triplet needs triplets\.plan pk or triplets or exemplars, not images"
    ):
        parse_params(with_value(default, "train.loss", "triplet"))
    pieces = with_value(default, "train.accumulate", 2)
    assert parse_params(pieces).train.accumulate == 2
    with pytest.raises(ParamsInvalid, match=r"train\.accumulate needs triplets\.plan images"):
        parse_params(with_value(pieces, "triplets.plan", "pk"))
    with pytest.raises(ParamsInvalid, match=r"contrastive needs triplets\.plan pk or pairs, not images"):
        parse_params(with_value(default, "train.loss", "contrastive"))
    with pytest.raises(ParamsInvalid, match=r"cosface needs triplets\.plan .*, not pairs"):
        parse_params(with_value(default, "triplets.plan", "pairs"))


def test_mining_that_contradicts_itself(default: str) -> None:
    def text(**changes: Any) -> str:
        params = yaml.safe_load(default)
        params["train"]["loss"] = "triplet"
        for section, fields in changes.items():
            params[section].update(fields)
        return yaml.safe_dump(params)

    remined = {"plan": "triplets", "remine": "epoch"}
    assert parse_params(text(triplets=remined)).triplets.table == "images"
    assert parse_params(text(triplets={"plan": "triplets"})).triplets.table == "triplets"
    for triplets, train, message in (
        ({**remined, "plan": "pk"}, {}, r"remine and embedder are for plan triplets, not pk"),
        ({"plan": "exemplars", "embedder": "models"}, {}, r"for plan triplets, not exemplars"),
        ({**remined, "embedder": "models"}, {}, r"set one of the two"),
        (remined, {"loss": "softmax"}, r"triplets\.remine is for loss triplet, not softmax"),
        ({"plan": "exemplars"}, {"loss": "softmax"}, r"softmax needs triplets\.plan .*, not exemplars"),
        ({"plan": "pk"}, {"mining": "listed"}, r"listed needs triplets\.plan triplets or exemplars, not pk"),
    ):
        with pytest.raises(ParamsInvalid, match=message):
            parse_params(text(triplets=triplets, train=train))


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "base: {seed: 1"])
def test_text_that_is_no_mapping_of_sections(text: str) -> None:
    with pytest.raises(ParamsInvalid, match=r"params\.yaml is not"):
        parse_params(text)


def test_params_are_frozen(default: str) -> None:
    params = parse_params(default)
    with pytest.raises(Exception, match="frozen"):
        params.train.epochs = 3  # type: ignore[misc]  # what is tested is that this fails
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
