"""The names agree, the arrows hold, and every stage depends on the code it runs."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from tasks.params import Params

ROOT = Path(__file__).parent.parent
STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")

# Code that a stage runs on but that cannot change what it writes into its outputs.
GLUE = {
    "facenet",
    "facenet.atomic",
    "facenet.errors",
    "tasks",
    "tasks.cli",
    "tasks.params",
    "tasks.paths",
    "tasks.reports",
    "tasks.section",
    "tasks.source_params",
    "tasks.triplets_params",
}
# Imports that happen only when the importing module is run as a command line of its own.
COMMAND_LINES = {
    ("tasks.shards", "tasks.shard_commands"),
    ("tasks.cli", "tasks.results"),
    ("tasks.cli", "tasks.detect"),
    ("tasks.cli", "tasks.summary"),
}
# Files that a stage stores with the model instead of importing them.
SHIPPED = {"tasks/serving.py"}
DOORS = {
    "mlflow": ("tasks.tracking", "tasks.serving"),
    "great_expectations": ("tasks.expectations",),
    "prefect": ("flows",),
    "dvc": ("flows",),
}


@cache
def dvc_stages() -> dict[str, dict[str, Any]]:
    stages: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return stages


@cache
def graph() -> grimp.ImportGraph:
    built = grimp.build_graph("facenet", "tasks", "flows", include_external_packages=True, cache_dir=None)
    for importer, imported in COMMAND_LINES:
        assert built.direct_import_exists(importer=importer, imported=imported)
        built.remove_import(importer=importer, imported=imported)
    return built


def entries(stage: dict[str, Any], *kinds: str) -> list[str]:
    listed = [entry for kind in kinds for entry in stage.get(kind, [])]
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in listed]


def modules() -> list[Path]:
    return sorted(path for folder in ("facenet", "tasks", "flows") for path in (ROOT / folder).rglob("*.py"))


def tracked() -> list[Path]:
    """Every file of the project, without what git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git clone")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_a_stage_has_one_name_in_five_places() -> None:
    assert tuple(dvc_stages()) == STAGES
    assert {field.name for field in fields(Params)} - {"base"} == set(STAGES)
    assert set(yaml.safe_load((ROOT / "params.yaml").read_text())) - {"base"} == set(STAGES)
    for stage in STAGES:
        assert dvc_stages()[stage]["cmd"] == f"python -m tasks.{stage}"
        assert (ROOT / "tasks" / f"{stage}.py").exists() != (ROOT / "tasks" / stage / "__main__.py").exists()
        tests = ROOT / "tests" / "tasks"
        assert (tests / f"test_{stage}.py").exists() or list((tests / stage).glob("test_*.py")), stage


def test_the_flow_runs_the_stages_in_the_order_of_the_dvc_graph() -> None:
    source = ast.parse((ROOT / "flows" / "training.py").read_text())
    (order,) = [
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["STAGES"]
    ]
    assert order == STAGES
    written: dict[str, str] = {}
    for name in order:
        stage = dvc_stages()[name]
        for dep in entries(stage, "deps"):
            if Path(dep).parts[0] in ("data", "models", "reports"):
                assert any(Path(dep).is_relative_to(out) for out in written), f"{name} reads {dep} too early"
        written |= dict.fromkeys(entries(stage, "outs", "metrics", "plots"), name)


def test_no_path_is_written_by_two_stages() -> None:
    written = [path for stage in dvc_stages().values() for path in entries(stage, "outs", "metrics", "plots")]
    assert len(written) == len(set(written))


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


@pytest.mark.parametrize(
    "path", [ROOT / "params.yaml", *sorted((ROOT / "recipes").glob("*.yaml"))], ids=lambda p: p.name
)
def test_no_parameter_has_a_name_that_dvc_drops_from_its_cache_key(path: Path) -> None:
    found = list(keys(yaml.safe_load(path.read_text())))
    assert found
    assert not {"size", "nfiles"} & set(found)


def test_stages_depend_on_parameters_that_exist() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, stage in dvc_stages().items():
        for key in stage["params"]:
            place = params
            for part in key.split("."):
                assert part in place, f"{name}: params {key}"
                place = place[part]


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_a_stage_imports_is_a_dependency(stage: str) -> None:
    own = {f"tasks.{stage}", *graph().find_descendants(f"tasks.{stage}")}
    imported = own | {found for module in own for found in graph().find_upstream_modules(module)}
    first_party = {name for name in imported if within(name, ("facenet", "tasks", "flows"))} - GLUE
    deps = [ROOT / dep for dep in entries(dvc_stages()[stage], "deps")]
    missing = [
        name for name in sorted(first_party) if not any(source_of(name).is_relative_to(dep) for dep in deps)
    ]
    assert not missing, f"dvc.yaml, stage {stage}: add deps for {missing}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_code_dependency_is_there_and_used(stage: str) -> None:
    own = {f"tasks.{stage}", *graph().find_descendants(f"tasks.{stage}")}
    used = own | {found for module in own for found in graph().find_upstream_modules(module)}
    sources = [source_of(name) for name in used if within(name, ("facenet", "tasks"))]
    for dep in entries(dvc_stages()[stage], "deps"):
        assert Path(dep).parts[0] in ("data", "models", "reports") or (ROOT / dep).exists(), dep
        if Path(dep).parts[0] in ("facenet", "tasks") and dep not in SHIPPED:
            assert any(source.is_relative_to(ROOT / dep) for source in sources), f"{stage} does not use {dep}"


def source_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("tool", DOORS)
def test_each_tool_has_one_door(tool: str) -> None:
    importers = graph().find_modules_that_directly_import(tool) if tool in graph().modules else set()
    assert importers or tool == "dvc", f"nothing imports {tool}"  # DVC is run as a child process
    assert [name for name in sorted(importers) if not within(name, DOORS[tool])] == []


def test_arrows_run_down_and_stages_meet_in_files_only() -> None:
    for module in graph().modules:
        for imported in graph().find_modules_directly_imported_by(module):
            layers = [name for name in ("facenet", "tasks", "flows") if within(imported, (name,))]
            allowed = {"facenet": ("facenet",), "tasks": ("facenet", "tasks")}.get(module.split(".")[0])
            assert not layers or allowed is None or layers[0] in allowed, f"{module} imports {imported}"
    for stage in STAGES:
        for other in set(STAGES) - {stage}:
            chain = graph().find_shortest_chain(f"tasks.{stage}", f"tasks.{other}", as_packages=True)
            assert chain is None, " -> ".join(chain or ())


def test_files_and_functions_can_be_read_at_one_sitting() -> None:
    for path in modules():
        text = path.read_text()
        assert text.count("\n") <= 250, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= 60, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def test_every_test_file_has_its_module() -> None:
    folders = [ROOT / "tests" / name for name in ("facenet", "tasks", "flows")]
    for path in sorted(path for folder in folders for path in folder.rglob("test_*.py")):
        mirrored = ROOT / path.relative_to(ROOT / "tests").parent / path.stem.removeprefix("test_")
        assert mirrored.with_suffix(".py").exists() or mirrored.is_dir(), (
            f"{path.relative_to(ROOT)} tests no module"
        )


def test_nothing_names_this_machine_or_a_package_registry() -> None:
    suspicious = re.compile(
        "|".join(
            [
                r"(?<![\w.~}/-])/(?:home|Users|work|farm)/\w",  # a path of somebody's machine
                r"(?:index-url|find-links)[ =]+[\"']?https?:",
                r"trusted-host",
                r"(?:pypi|conda|npm)[\w.-]*\.[\w-]+\.(?:corp|internal|lan|local)\b",
            ]
        )
    )
    for line in (
        "cd /home/ada",
        "--index-url https://x",
        "trusted-host = x",
        "https://pypi.example.internal/simple",
    ):
        assert suspicious.search(line), line
    for path in tracked():
        if path != Path(__file__):
            found = suspicious.search(path.read_bytes().decode("utf-8", errors="ignore"))
            assert found is None, f"{path.relative_to(ROOT)}: {found[0] if found else ''}"
