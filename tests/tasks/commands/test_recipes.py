"""Recipes are overlays on the defaults: valid, complete, and never mixed."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from facenet.errors import ParamsInvalid
from facenet.pretrained.card import pretrained_card
from tasks.commands.recipes import apply, compose, describe, main, recipe_names
from tasks.params import parse_params


@pytest.fixture
def recipes(root: Path) -> Path:
    return root / "recipes"


@pytest.fixture
def params(tmp_path: Path, recipes: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text((recipes / "default.yaml").read_text())
    return path


def test_every_recipe_is_valid_and_described(recipes: Path) -> None:
    names = recipe_names(recipes)
    assert names[0] == "default"
    assert {"pretrained", "casia", "lfw-view1", "on-lfw-view1", "on-lfw-view2", "photos"} <= set(names)
    assert {"orl-softmax", "orl-triplet", "orl-nn4small2", "finetune", "casia-finetune"} <= set(names)
    for name in names:
        parse_params(compose(name, folder=recipes))
        assert 20 < len(describe(name, recipes)) <= 105


def test_recipes_in_a_folder_are_named_with_it(recipes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recipes"
    shutil.copytree(recipes, folder)
    (folder / "other").mkdir()
    (folder / "other" / "mine.yaml").write_text("# Mine\nbase:\n  seed: 3\n")
    assert set(recipe_names(folder)) - set(recipe_names(recipes)) == {"other/mine"}
    assert describe("other/mine", folder) == "Mine"
    assert parse_params(compose("other/mine", folder=folder)).base.seed == 3


def test_every_value_of_an_overlay_arrives_and_nothing_else_changes(recipes: Path) -> None:
    default = yaml.safe_load((recipes / "default.yaml").read_text())

    def merged(base: Any, overlay: Any) -> Any:
        if not isinstance(base, dict) or not isinstance(overlay, dict):
            return overlay
        return base | {key: merged(base.get(key), value) for key, value in overlay.items()}

    for name in recipe_names(recipes)[1:]:
        overlay = yaml.safe_load((recipes / f"{name}.yaml").read_text())
        assert yaml.safe_load(compose(name, folder=recipes)) == merged(default, overlay)
        assert merged(default, overlay) != default


def test_comments_and_layout_are_kept(recipes: Path) -> None:
    default = (recipes / "default.yaml").read_text()
    assert compose("default", folder=recipes) == default
    before = default.splitlines()
    after = compose("orl-softmax", folder=recipes).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [
        ("  loss: cosface", "  loss: softmax"),
        ("  prelogits_norm_factor: 0.0", "  prelogits_norm_factor: 0.0005"),
    ]
    lines = compose("lfw-view1", folder=recipes).splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        line for line in before if line.startswith("#")
    ]
    assert "  init: null" in lines
    assert "  thresholds: [0.6, 0.7, 0.7]" in lines


def test_a_list_is_replaced_and_a_mapping_is_merged(recipes: Path) -> None:
    params = yaml.safe_load(compose("pretrained", "on-lfw-view2", folder=recipes))
    assert [source["kind"] for source in params["ingest"]["sources"]] == ["lfw"]
    default = yaml.safe_load((recipes / "default.yaml").read_text())
    assert params["register"]["gates"] == default["register"]["gates"] | {"accuracy": 0.97}


def test_two_recipes_in_turn_do_not_mix(recipes: Path, params: Path) -> None:
    default = params.read_text()
    for name in recipe_names(recipes):
        apply(name, folder=recipes, target=params)
        assert params.read_text() == compose(name, folder=recipes)
    apply("default", folder=recipes, target=params)
    assert params.read_text() == default


def test_recipes_are_applied_in_the_given_order(recipes: Path, params: Path) -> None:
    def values(*names: str) -> Any:
        return yaml.safe_load(compose(*names, folder=recipes))

    stacked, system, data = values("arcface", "on-lfw-view1"), values("arcface"), values("on-lfw-view1")
    assert stacked["train"] == system["train"] != data["train"]
    for section in ("ingest", "triplets", "evaluate", "register"):
        assert stacked[section] == data[section] != system[section]
    assert stacked["align"] == system["align"] != data["align"]
    assert values("cosface", "arcface")["train"]["loss"] == "arcface"
    assert values("arcface", "cosface")["train"]["loss"] == "cosface"
    assert values("default", "arcface") == system
    apply("arcface", "on-lfw-view1", folder=recipes, target=params)
    assert yaml.safe_load(params.read_text()) == stacked


def test_a_data_overlay_leaves_the_system_unchanged(recipes: Path) -> None:
    """Whatever is trained, on-lfw-view1 gives it the people, pairs and distance of the recipe lfw-view1."""
    view1 = yaml.safe_load(compose("lfw-view1", folder=recipes))
    for name in recipe_names(recipes):
        system = yaml.safe_load(compose(name, folder=recipes))
        stacked = yaml.safe_load(compose(name, "on-lfw-view1", folder=recipes))
        assert stacked["ingest"]["sources"] == view1["ingest"]["sources"]
        assert stacked["triplets"]["validation_fraction"] == view1["triplets"]["validation_fraction"]
        assert stacked["register"]["gates"] == system["register"]["gates"] | {"accuracy": 0.7}
        assert stacked["evaluate"] == system["evaluate"] | {"distance": view1["evaluate"]["distance"]}
        for section in ("base", "align", "train"):
            assert stacked[section] == system[section]


def test_view_2_is_the_data_of_a_pretrained_model(recipes: Path) -> None:
    for name in ("pretrained", "casia"):
        system = yaml.safe_load(compose(name, folder=recipes))
        stacked = yaml.safe_load(compose(name, "on-lfw-view2", folder=recipes))
        (source,) = stacked["ingest"]["sources"]
        assert (source["kind"], source["pairs"]) == ("lfw", "pairs.txt")
        for section in ("base", "align", "triplets", "train", "evaluate"):
            assert stacked[section] == system[section]
        assert stacked["train"]["epochs"] == 0


def test_the_pretrained_model_is_that_of_its_recipe(recipes: Path) -> None:
    """What facenet.pretrained.folder() ships is aligned, standardised and built as the recipe says."""
    params, card = parse_params(compose("pretrained", folder=recipes)), pretrained_card()
    assert params.align.model_dump(mode="json") == card.align
    train = params.train
    assert (train.network, train.variant, train.embedding_size, train.image_size) == (
        *(card.network.name, card.network.variant),
        *(card.network.embedding_size, card.network.image_size),
    )
    assert (train.standardisation, train.init, train.epochs) == (card.standardisation, "dlib", 0)


def test_default_cannot_follow_another_recipe(recipes: Path, params: Path) -> None:
    before = params.read_text()
    with pytest.raises(ParamsInvalid, match="already builds on default"):
        apply("arcface", "default", folder=recipes, target=params)
    assert params.read_text() == before


def test_changes_are_listed(recipes: Path, params: Path) -> None:
    assert apply("default", folder=recipes, target=params) == []
    assert apply("orl-triplet", folder=recipes, target=params) == [
        "triplets.plan: images -> pk",
        "train.loss: cosface -> triplet",
    ]
    params.write_text(params.read_text().replace("seed: 666", "seed: 7").replace("  margin_in: source\n", ""))
    assert apply("photos", folder=recipes, target=params) == [
        "base.seed: 7 -> 666",
        "ingest.sources: [{kind: orl}] -> [{kind: folder, path: photos}]",
        "align.margin_in: (none) -> source",
        "triplets.plan: pk -> images",
        "train.loss: triplet -> cosface",
    ]


@pytest.mark.parametrize(
    "old",
    [
        b"base: {seed: 1",
        b"",
        b"[1, 2]",
        b"just words",
        "# Größe\nbase: {}".encode("latin-1"),
        "base: {}".encode("utf-16"),
        b"a: 2024-02-30",
        b"a: 1\na: 2",
        b"\0\1\2",
        b"base: 3\n1: {2: x}\n",
    ],
)
def test_a_recipe_can_be_applied_whatever_the_old_file_holds(recipes: Path, params: Path, old: bytes) -> None:
    params.write_bytes(old)
    assert apply("default", folder=recipes, target=params)
    assert params.read_text() == (recipes / "default.yaml").read_text()
    params.unlink()
    assert apply("default", folder=recipes, target=params)
    assert params.read_text() == (recipes / "default.yaml").read_text()


def test_an_old_file_that_cannot_be_read_is_named(recipes: Path, params: Path) -> None:
    params.write_bytes(b"base: {seed: 1")
    (line,) = apply("default", folder=recipes, target=params)
    assert line.startswith("the old file could not be read, and is replaced: params.yaml is not valid YAML")


def test_gates_belong_to_the_data_and_do_not_follow_a_system_to_other_photos(recipes: Path) -> None:
    def gates(*names: str) -> Any:
        return yaml.safe_load(compose(*names, folder=recipes))["register"]["gates"]

    default = gates("default")
    assert gates("casia", "on-lfw-view2")["accuracy"] == 0.97
    for system in recipe_names(recipes)[1:]:
        assert gates(system, "photos") == default
    assert gates("pretrained", "on-lfw-view1") == default | {"accuracy": 0.7}
    assert gates("photos", "pretrained") == default
    for name in recipe_names(recipes)[1:]:
        recipe = yaml.safe_load((recipes / f"{name}.yaml").read_text())
        if "gates" in recipe.get("register", {}):
            assert "sources" in recipe.get("ingest", {}), f"{name} is a system: it has no gates"


def test_an_unknown_recipe_names_the_known_ones_and_writes_nothing(recipes: Path, params: Path) -> None:
    before = params.read_text()
    with pytest.raises(ParamsInvalid, match=r"no recipe 'nothing' .*default, .*on-lfw-view2"):
        apply("nothing", folder=recipes, target=params)
    assert params.read_text() == before


@pytest.mark.parametrize(
    ("overlay", "complaint"),
    [
        ("train:\n  epoch: 3\n", r"bad\.yaml: .*\n.*train\.epoch: "),
        ("train:\n  epochs: -3\n", r"bad\.yaml: .*\n.*train\.epochs: "),
        ("trian:\n  epochs: 3\n", r"bad\.yaml: .*\n.*trian"),
        ("align:\n  image_size: 32\n", "larger than align.image_size 32"),
    ],
)
def test_an_invalid_recipe_writes_nothing(
    tmp_path: Path, recipes: Path, params: Path, overlay: str, complaint: str
) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "default.yaml").write_text((recipes / "default.yaml").read_text())
    (folder / "bad.yaml").write_text(overlay)
    before = params.read_text()
    with pytest.raises(ParamsInvalid, match=complaint):
        apply("bad", folder=folder, target=params)
    assert params.read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml", "recipes"]


def test_the_committed_parameters_are_the_default_recipe(root: Path, recipes: Path) -> None:
    """In a clone whose params.yaml is as committed: what `apply default` restores is what it came with."""
    changed = subprocess.run(
        ["git", "diff", "--quiet", "HEAD", "--", "params.yaml"], cwd=root, capture_output=True
    )
    if changed.returncode:
        pytest.skip("params.yaml is not as committed, or this is no git clone")
    assert (root / "params.yaml").read_text() == (recipes / "default.yaml").read_text(), (
        "params.yaml was committed with other values than recipes/default.yaml: copy one onto the other"
    )


def test_command_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipes").symlink_to(root / "recipes")
    monkeypatch.chdir(tmp_path)
    main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == recipe_names(root / "recipes")
    main(["apply", "orl-softmax"])
    out = capsys.readouterr().out
    assert out.startswith("params.yaml now follows recipe orl-softmax:\n")
    assert "  train.loss: (none) -> softmax\n" in out
    main(["apply", "orl-softmax"])
    assert capsys.readouterr().out.splitlines()[1:] == ["  nothing changed", "Next: dvc repro"]
    main(["apply", "arcface", "on-lfw-view1"])
    assert capsys.readouterr().out.startswith("params.yaml now follows recipe arcface + on-lfw-view1:\n")
    assert yaml.safe_load(Path("params.yaml").read_text())["train"]["loss"] == "arcface"


def test_outside_the_project_it_says_where_to_run(tmp_path: Path, root: Path) -> None:
    command = [sys.executable, "-m", "tasks.commands.recipes", "list"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(root)}
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ParamsInvalid: There is no default.yaml in")
