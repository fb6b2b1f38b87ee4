"""CONTRIBUTING.md lists the files that something new touches: what exists already lies in exactly those."""

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import yaml

from facenet.loss_table import LOSSES
from facenet.networks import NETWORKS
from tasks.params import Params
from tasks.params.sources import Source

KINDS = [kind.model_fields["kind"].annotation for kind in get_args(get_args(Source)[0])]
EXISTING = {
    "Add a loss": sorted(LOSSES),
    "Add a network": sorted(NETWORKS),
    "Add a kind of source": sorted(name for kind in KINDS for name in get_args(kind)),
}
CASES = [(section, name) for section, names in EXISTING.items() for name in names]
# Losses on distances need a plan of pairs or triplets, and mining: other code names them.
MINED = ("triplet", "contrastive")
# Other code that has the name: the alignment template named after the same paper, the pretrained model, and
# arguments of commands.
ELSEWHERE = {
    "arcface": ("facenet/detection/crop.py", "facenet/detection/templates.py", "tasks/params/align.py"),
    "dlib_resnet": ("facenet/pretrained/card.py",),
    "folder": ("commands/calibrate.py", "commands/cluster.py", "commands/enrol.py"),
}


@cache
def listed(root: Path, section: str) -> tuple[str, ...]:
    text = (root / "CONTRIBUTING.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return tuple(re.findall(r"^- `(\S+)`", text, re.MULTILINE))


@cache
def strings(path: Path) -> frozenset[str]:
    """Return the string constants of a module but for those of `__all__`, which name its own code."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if "__all__" not in ast.unparse(node).split(" ", 1)]
    return frozenset(
        n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    )


def test_nothing_new_touches_more_than_three_files(root: Path) -> None:
    assert {section: len(listed(root, section)) for section in EXISTING} == dict.fromkeys(EXISTING, 3)


@pytest.mark.parametrize(("section", "name"), CASES)
def test_what_exists_lies_in_the_listed_files(root: Path, section: str, name: str) -> None:
    files = [root / file.replace("NAME", name) for file in listed(root, section)]
    assert [file for file in files if not file.exists()] == []
    fixed = [root / file for file in listed(root, section) if "NAME" not in file]
    assert all(name in strings(file) for file in fixed)


@pytest.mark.parametrize(("section", "name"), [case for case in CASES if case[1] not in MINED])
def test_no_other_code_names_it(root: Path, section: str, name: str) -> None:
    own = {root / file.replace("NAME", name) for file in listed(root, section)}
    own |= {root / file for file in ELSEWHERE.get(name, ())}
    code = {
        path
        for folder in ("facenet", "tasks", "flows", "service", "commands")
        for path in (root / folder).rglob("*.py")
    }
    assert [path.relative_to(root) for path in sorted(code - own) if name in strings(path)] == []


@pytest.mark.parametrize("stage", [field.name for field in fields(Params) if field.name != "base"])
def test_every_parameter_lies_in_the_listed_files(root: Path, stage: str) -> None:
    files = [root / file.replace("STAGE", stage) for file in listed(root, "Add a parameter of a stage")]
    assert [file for file in files if not file.exists()] == []
    section = next(field.type for field in fields(Params) if field.name == stage)
    names = set(section.model_fields)  # type: ignore[union-attr]
    schema, *values = [
        file for file in files if file.suffix in (".py", ".yaml") and "tests" not in file.parts
    ]
    declared = {
        node.target.id
        for node in ast.walk(ast.parse(schema.read_text()))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert names <= declared
    for file in values:
        assert set(yaml.safe_load(file.read_text())[stage]) == names, file


def test_the_hooks_are_the_checks_of_make_lint(root: Path) -> None:
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks)
    makefile = (root / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t@.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    checks = [line.removeprefix("\t@") for line in recipe[1].splitlines()]
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in hooks] == checks


def test_the_tests_it_names_exist(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text()
    (file,) = re.findall(r"python -m pytest (tests/\S+)", text)
    (name,) = re.findall(r"python -m pytest -k (\S+)", text)
    assert f"def {name}(" in (root / file).read_text()


def test_the_changelog_has_the_present_version(root: Path) -> None:
    changelog = (root / "CHANGELOG.md").read_text()
    (version,) = re.findall(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[:2] == ["Unreleased", version]
    kinds = set(re.findall(r"^### (\w+)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
