"""The names agree, the arrows hold, and every stage depends on the code it runs."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

from facenet.loss_table import LOSSES
from tasks.params import Params

ROOT = Path(__file__).parent.parent
# Steps that DVC always runs, by the stage that they belong to. They are not stages: they tell DVC whether
# their stage must run, and have no parameters, report or name in the Prefect UI.
STEPS = {"fingerprint": "ingest", "inputs": "train"}
STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")

# Code that a stage runs on but that cannot change what it writes into its outputs.
GLUE = (
    "facenet.atomic",
    "facenet.digests",
    "facenet.errors",
    "facenet.storage",
    "facenet.loss_table",
    "tasks.entry",
    "tasks.params",
    "tasks.paths",
    "tasks.redaction",
    "tasks.reports",
)
# The lists of modules whose code is part of a cache key or a digest, and what that code begins with.
DIGESTED = {
    "facenet.runtimes.exported_file": ["facenet.export.embedding", "facenet.export.onnx_file"],
    "tasks.align.keys": ["tasks.align.work"],
    "tasks.evaluate.embedding_cache": ["tasks.evaluate.work"],
    "tasks.ingest.verdict_cache": ["tasks.ingest.photos"],
    "tasks.tracking.models": ["tasks.tracking.serving"],
    "tasks.train.build": ["facenet.training.loop", "tasks.train.build", "tasks.train.data"],
}
# tasks/ holds the stages, these packages and these modules.
PACKAGES = (
    "audit",
    "commands",
    "downloads",
    "expectations",
    "forgetting",
    "labels",
    "monitoring",
    "params",
    "promotion",
    "report",
    "shards",
    "sweep",
    "tracking",
    "workers",
)
MODULES = ("database_urls", "entry", "paths", "redaction", "reports")
PROJECT = ("facenet", "tasks", "flows", "operations", "service", "commands")
ALLOWED = {  # what each package may import of the project
    "facenet": ("facenet",),
    "tasks": ("facenet", "tasks"),
    "flows": ("facenet", "tasks", "flows"),
    "operations": ("facenet", "tasks", "operations"),
    "service": ("facenet", "tasks", "service"),
    "commands": ("facenet", "tasks", "flows", "operations", "service", "commands"),
}
DOORS = {
    "mlflow": ("tasks.tracking", "facenet.registry"),
    "great_expectations": ("tasks.expectations",),
    "prefect": ("flows",),
    "dvc": ("flows",),
    "alembic": ("service.gallery",),
    "faiss": ("service.gallery",),
}


@cache
def dvc_stages() -> dict[str, dict[str, Any]]:
    stages: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return stages


@cache
def graph() -> grimp.ImportGraph:
    """Return the import graph, with the losses that are imported by name."""
    found = grimp.build_graph(*PROJECT, include_external_packages=True, cache_dir=None)
    for entry in LOSSES.values():
        found.add_import(importer="facenet.losses.registry", imported=entry.module)
    return found


def entries(stage: dict[str, Any], *kinds: str) -> list[str]:
    listed = [entry for kind in kinds for entry in stage.get(kind, [])]
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in listed]


def modules() -> list[Path]:
    return sorted(path for folder in PROJECT for path in (ROOT / folder).rglob("*.py"))


def tracked() -> list[Path]:
    """Return every file of the project except those git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is not a git clone")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def is_ours(module: str) -> bool:
    """Return whether it is one of our modules, and not just a layer's docstring."""
    return "." in module and within(module, PROJECT)


def test_a_stage_has_the_same_name_everywhere() -> None:
    assert tuple(name for name in dvc_stages() if name not in STEPS) == STAGES
    assert {field.name for field in fields(Params)} - {"base"} == set(STAGES)
    assert set(yaml.safe_load((ROOT / "params.yaml").read_text())) - {"base"} == set(STAGES)
    for stage in STAGES:
        assert dvc_stages()[stage]["cmd"] == f"python -m tasks.{stage}"
        assert (ROOT / "tasks" / f"{stage}.py").exists() != (ROOT / "tasks" / stage / "__main__.py").exists()
        tests = ROOT / "tests" / "tasks"
        assert (tests / f"test_{stage}.py").exists() or list((tests / stage).glob("test_*.py")), stage


@pytest.mark.parametrize("step", STEPS)
def test_a_step_always_runs_and_is_a_module_of_its_stage(step: str) -> None:
    stage = dvc_stages()[step]
    assert stage["cmd"] == f"python -m tasks.{STEPS[step]}.{step}"
    assert stage["always_changed"] is True
    assert set(entries(stage, "outs")) <= set(entries(dvc_stages()[STEPS[step]], "deps"))


def test_the_flow_runs_the_stages_in_the_order_of_the_dvc_graph() -> None:
    source = ast.parse((ROOT / "flows" / "training.py").read_text())
    (order,) = [
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["STAGES"]
    ]
    assert order == STAGES
    written: dict[str, str] = {out: step for step in STEPS for out in entries(dvc_stages()[step], "outs")}
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
    "path", [ROOT / "params.yaml", *sorted((ROOT / "recipes").rglob("*.yaml"))], ids=lambda p: p.name
)
def test_no_parameter_has_a_name_that_dvc_drops_from_its_cache_key(path: Path) -> None:
    found = list(keys(yaml.safe_load(path.read_text())))
    assert found
    assert not {"size", "nfiles"} & set(found)


def test_stages_depend_on_parameters_that_exist() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, stage in dvc_stages().items():
        for key in stage.get("params", ()):
            place = params
            for part in key.split("."):
                assert part in place, f"{name}: params {key}"
                place = place[part]


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_a_stage_imports_is_a_dependency(stage: str) -> None:
    own = {f"tasks.{stage}", *graph().find_descendants(f"tasks.{stage}")}
    imported = own | {found for module in own for found in graph().find_upstream_modules(module)}
    first_party = {name for name in imported if is_ours(name) and not within(name, GLUE)}
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
        if Path(dep).parts[0] in ("facenet", "tasks"):
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
            layers = [name for name in PROJECT if within(imported, (name,))]
            allowed = ALLOWED.get(module.split(".")[0])
            assert not layers or allowed is None or layers[0] in allowed, f"{module} imports {imported}"
    for stage in STAGES:
        for other in set(STAGES) - {stage}:
            chain = graph().find_shortest_chain(f"tasks.{stage}", f"tasks.{other}", as_packages=True)
            assert chain is None, " -> ".join(chain or ())


@pytest.mark.parametrize("listing", DIGESTED)
def test_a_code_digest_covers_what_its_code_imports(listing: str) -> None:
    code: tuple[str, ...] = import_module(listing).CODE
    begins = DIGESTED[listing]
    imported = {found for name in begins for found in graph().find_upstream_modules(name)} | set(begins)
    ours = {name for name in imported if is_ours(name)}
    assert sorted(name for name in ours if not within(name, (*code, *GLUE))) == []
    assert [name for name in code if not any(within(module, (name,)) for module in ours)] == []


def test_every_code_digest_has_its_list_checked() -> None:
    callers = graph().find_modules_that_directly_import("facenet.digests")
    lists = {name for name in callers if re.search(r"^CODE = ", source_of(name).read_text(), re.MULTILINE)}
    assert lists - {"tasks.workers.cluster"} == set(DIGESTED) - {"tasks.tracking.models"}


def test_there_are_no_import_cycles() -> None:
    """Neither between modules nor, at any level, between the packages and modules of one folder."""
    ours = {module for module in graph().modules if within(module, PROJECT)}
    assert circles({name: graph().find_modules_directly_imported_by(name) & ours for name in ours}) == []
    for package in sorted(name for name in ours if graph().find_children(name)):
        owner = {
            inner: child
            for child in graph().find_children(package)
            for inner in (child, *graph().find_descendants(child))
        }
        arrows: dict[str, set[str]] = {child: set() for child in owner.values()}
        for module, child in owner.items():
            found = graph().find_modules_directly_imported_by(module)
            arrows[child] |= {owner[name] for name in found if name in owner} - {child}
        assert circles(arrows) == [], package


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """Return what remains of a graph when nodes without outgoing arrows are removed repeatedly."""
    left = dict(arrows)
    while ends := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in ends}
    return sorted(left)


def test_tasks_holds_stages_and_named_packages_only() -> None:
    found = {path.stem for path in (ROOT / "tasks").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__init__", "__pycache__"} == {*STAGES, *PACKAGES, *MODULES}


def test_files_and_functions_are_short() -> None:
    for path in modules():
        text = path.read_text()
        assert text.count("\n") <= 250, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= 60, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def test_every_test_file_has_its_module() -> None:
    folders = [ROOT / "tests" / name for name in PROJECT]
    expected = {mirror_of(path) for path in modules()}
    for path in sorted(path for folder in folders for path in folder.rglob("test_*.py")):
        assert path in expected, f"{path.relative_to(ROOT)} tests no module"


def test_every_module_has_its_test_file() -> None:
    entries = [ROOT / "tasks" / stage / "__main__.py" for stage in STAGES]  # run by tests/test_pipeline.py
    for path in modules():
        if path not in entries and re.search(r"^\s*(?:def|class) ", path.read_text(), re.MULTILINE):
            assert mirror_of(path).exists(), (
                f"{path.relative_to(ROOT)} has no {mirror_of(path).relative_to(ROOT)}"
            )


def mirror_of(module: Path) -> Path:
    """Return the test file of a module: that of a package stands next to the package's folder of tests."""
    named = module.parent if module.name == "__init__.py" else module
    mirrored = ROOT / "tests" / named.relative_to(ROOT)
    return mirrored.with_name(f"test_{mirrored.stem.strip('_')}.py")


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
