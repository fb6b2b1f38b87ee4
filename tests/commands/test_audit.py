"""`facenet audit` in a small workspace with a wrong name in it."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.audit import add
from facenet.audit import SUSPICIOUS
from tasks.labels.decisions import read_decisions
from tests.commands.running import facenet
from tests.tasks.audit.conftest import build_space


@pytest.fixture(scope="module")
def workspace(
    tmp_path_factory: pytest.TempPathFactory, orl_photos: list[tuple[str, bytes]], root: Path
) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    space = build_space(folder, orl_photos, root)
    params: dict[str, Any] = yaml.safe_load((root / "params.yaml").read_text())
    params["align"] = space.params.align.model_dump(mode="json")
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def test_suspects_are_printed_and_written(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert facenet("audit", "--model", "pretrained", "--workspace", workspace, "--out", "found") == 1
    printed = capsys.readouterr().out
    assert re.match(r"85 faces of 12 people, by pretrained .*\n +2 photos under a wrong name\n", printed)
    assert re.search(r"^1.00 outlier: s6/\w+\.pgm: move to s8$", printed, re.MULTILINE)
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert names == ["label_audit.html", "label_audit.json", "label_audit.parquet"]


def test_automatic_decisions_are_not_suggested_again(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", "--model", "pretrained", "--workspace", workspace, "--json"]
    assert facenet(*words, "--auto", "0.9") == 1
    before = json.loads(capsys.readouterr().out)
    decisions = read_decisions(workspace / "labels" / "decisions.csv")
    assert before["decided_now"] == len(decisions) == 2
    decided = {(decision.identity, decision.action, decision.target) for decision in decisions}
    # The second face fits its own person only just: in the last bits it is moved there, or dropped.
    assert ("s6", "move", "s8") in decided
    assert decided & {("s5", "move", "s1"), ("s5", "drop", "")}
    assert facenet(*words) == 1
    after = json.loads(capsys.readouterr().out)
    assert after["suspects"] == {**before["suspects"], "outlier": 0}
    assert after["decided"] == 2


def test_what_is_missing_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("audit", "--workspace", tmp_path / "nowhere") == 2
    assert "ParamsInvalid: --workspace: there is no folder" in capsys.readouterr().err


def test_the_help_names_the_default() -> None:
    parser = ArgumentParser()
    add(parser)
    assert f"(default: {SUSPICIOUS:g})" in " ".join(parser.format_help().split())
