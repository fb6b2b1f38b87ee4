"""docs/architecture.md shows the layers as they are enforced, and walks along real imports."""

import re
import tomllib
from pathlib import Path

import grimp
import pytest

WALKS = (
    "From params.yaml to the optimizer",
    "One photo, from ingest to register",
    "Two photos, from FaceModel to an answer",
)
# Imported by name at run time, which no import graph shows.
DYNAMIC = {("tasks.ingest.sources", "tasks.ingest.sources.orl")}
STEP = re.compile(r"^- `(\S+)` → `(\S+)`: ", re.MULTILINE)
AGAIN = re.compile(r"^- `(\S+)`: \S", re.MULTILINE)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("facenet", "tasks", "flows", cache_dir=None)


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs" / "architecture.md").read_text()


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_the_picture_shows_the_layers_of_the_contracts(root: Path, text: str) -> None:
    tools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    contracts = {c["name"]: c for c in tools["importlinter"]["contracts"]}
    picture = section(text, "Layers").split("```")[1]
    rows = [set(re.findall(r"[a-z_]+(?: \| [a-z_]+)*", line)) for line in picture.splitlines()]
    for name in ("layers inside tasks", "layers inside facenet"):
        for layer in contracts[name]["layers"]:
            shown = " | ".join(re.findall(r"\w+", layer))
            assert any(shown in row or {shown} <= row for row in rows), f"{name}: {shown}"
    packages = re.findall(r"^  (\w+)/", picture, re.MULTILINE)
    whole = "flows know when, service knows requests, tasks know files, facenet knows faces"
    layers = contracts[whole]["layers"]
    assert packages == [name for layer in layers for name in layer.split(" | ")]


def test_every_decision_is_linked_by_its_title(root: Path, text: str) -> None:
    linked = dict(re.findall(r"^- \[(.+)\]\((decisions/\S+)\)$", text, re.MULTILINE))
    titles = {
        path.read_text().splitlines()[0].removeprefix("# "): f"decisions/{path.name}"
        for path in (root / "docs" / "decisions").glob("*.md")
    }
    assert linked == titles
    numbers = [target.split("/")[1].split("-")[0] for target in linked.values()]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("walk", WALKS)
def test_each_step_of_a_walk_is_an_import(text: str, walk: str, graph: grimp.ImportGraph) -> None:
    steps = STEP.findall(section(text, walk))
    assert len(steps) > 4
    for source, target in steps:
        imported = graph.find_modules_directly_imported_by(module(source))
        offered = {module(target), module(target).rpartition(".")[0]}  # by itself or by its package
        assert offered & imported or (module(source), module(target)) in DYNAMIC, f"{source} → {target}"


@pytest.mark.parametrize("walk", WALKS)
def test_a_file_is_entered_twice_only_with_a_reason(text: str, walk: str) -> None:
    entered = [target for _, target in STEP.findall(section(text, walk))]
    twice = {name for name in entered if entered.count(name) > 1}
    assert twice == {name for name in AGAIN.findall(section(text, walk)) if name.endswith(".py")}


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_goes_on_from_where_it_has_been(text: str, walk: str) -> None:
    """A step starts at a file that was entered before, or at the stage itself."""
    entered: set[str] = set()
    for source, target in STEP.findall(section(text, walk)):
        starts = re.fullmatch(
            r"tasks/\w+/(__main__|stage|setup)\.py|tasks/register\.py|facenet/face_model\.py|\S+/loop\.py",
            source,
        )
        assert source in entered or starts, f"{source} → {target}"
        entered |= {source, target}
