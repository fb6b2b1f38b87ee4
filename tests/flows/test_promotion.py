import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from flows import promotion, serving
from tasks.params import load_params
from tasks.tracking import registry, start_run

Challenge = Callable[[float], int]


@pytest.fixture
def challenge(mlflow_store: Path, root: Path) -> Iterator[Challenge]:
    """In a workspace with params.yaml: register a challenger with a given accuracy and return its number."""
    for name in (".dvc", ".git"):
        Path(name).mkdir()
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["register"] = {
        "model": "faces",
        "gates": {},
        "promotion": {"metric": "accuracy", "min_gain": 0.01, "margin": None},
    }
    Path("params.yaml").write_text(yaml.safe_dump(params))
    load_params.cache_clear()

    def save(folder: Path, model_id: str) -> None:
        folder.mkdir()
        (folder / "MLmodel").write_text(f"model_id: {model_id}\n")

    def challenge(accuracy: float) -> int:
        tags = {"accuracy": str(accuracy), "protocol": "LFW View 2", "pairs_sha256": "p" * 64}
        tags |= {"pairs_used": "6000", "pairs_total": "6000"}
        made = registry.create_version(
            "faces", start_run(name="t", tags={}), save=save, tags=tags, metrics={}
        )
        registry.set_alias("faces", registry.CHALLENGER, made.number)
        return made.number

    yield challenge
    load_params.cache_clear()


def exit_code(*arguments: str) -> object:
    try:
        promotion.main(arguments)
    except SystemExit as left:
        return left.code
    return 0


@pytest.mark.slow
def test_the_champion_moves_a_worse_one_is_refused_and_a_rollback_restores(
    challenge: Challenge, prefect_api: None, capsys: pytest.CaptureFixture[str]
) -> None:
    challenge(0.90)
    assert exit_code() == 0
    assert registry.aliases("faces")["champion"] == 1
    challenge(0.905)
    assert exit_code("promote") == 1
    said = capsys.readouterr().err
    assert "a gain of 0.005; " in said
    assert "at least 0.01 is required" in said
    assert registry.aliases("faces")["champion"] == 1
    challenge(0.92)
    assert exit_code("promote") == 0
    assert registry.aliases("faces") == {"challenger": 3, "champion": 3, "previous-champion": 1}
    assert exit_code("rollback") == 0
    assert registry.aliases("faces") == {"challenger": 3, "champion": 1}
    out = capsys.readouterr().out
    assert "Version 1 is champion again instead of 3." in out
    assert "champion                 1        0.9" in out
    assert exit_code("rollback") == 1
    assert exit_code("promote", "--force") == 0
    history = [json.loads(line) for line in Path("reports/promotions.jsonl").read_text().splitlines()]
    assert [line["action"] for line in history] == [
        "promoted",
        "refused",
        "promoted",
        "rolled_back",
        "refused",
        "promoted",
    ]
    assert json.loads(Path("reports/promotion.json").read_text()) == history[-1]
    assert history[-1]["forced"] is True
    capsys.readouterr()
    assert exit_code("history") == 0
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()[1:]] == [
        line["action"] for line in history
    ]
    exported = json.loads(Path("reports/promotions-export.json").read_text())
    assert [entry["record"]["at"] for entry in exported["history"]] == [line["at"] for line in history]
    assert exit_code("promote", "--version", "2") == 1
    assert registry.aliases("faces") == {"challenger": 2, "champion": 3, "previous-champion": 1}
    assert "The challenger is version 2, as requested, instead of 3." in capsys.readouterr().err


@pytest.mark.slow
def test_a_failed_promotion_is_a_failed_flow_run_with_its_reason_and_an_artifact(
    challenge: Challenge, prefect_api: None
) -> None:
    from prefect.artifacts import Artifact

    state = promotion.promotion(return_state=True)
    assert state.is_failed()
    assert state.message == "There is no challenger. Run `dvc repro register`."
    artifact = Artifact.get("promotion")
    assert artifact is not None
    assert str(artifact.data).startswith("# faces: refused")
    Path("params.yaml").unlink()
    load_params.cache_clear()
    assert "params.yaml" in promotion.promotion(return_state=True).message


@pytest.mark.slow
def test_a_champion_that_cannot_be_served_fails_the_run_with_the_reason(
    challenge: Challenge, prefect_api: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge(0.90)
    refuse = "import sys; sys.exit('ServicesFailed: version 7 stays: HTTP 500')"
    monkeypatch.setattr(serving, "COMMAND", (sys.executable, "-c", refuse))
    state = promotion.promotion(return_state=True)
    assert (state.type.value, state.name) == ("FAILED", "NotServed")
    assert state.message.endswith("But the champion is not served: version 7 stays: HTTP 500")
    assert registry.aliases("faces")["champion"] == 1


@pytest.mark.slow
def test_no_alias_moves_if_the_history_cannot_be_written(
    challenge: Challenge, prefect_api: None, capsys: pytest.CaptureFixture[str]
) -> None:
    challenge(0.90)
    Path("reports").write_text("a file")
    assert exit_code() == 1
    assert "No alias was moved" in capsys.readouterr().err
    assert registry.aliases("faces") == {"challenger": 1}


def test_show_needs_no_prefect_server(challenge: Challenge, capsys: pytest.CaptureFixture[str]) -> None:
    challenge(0.9)
    promotion.main(["show"])
    assert capsys.readouterr().out.splitlines() == [
        "alias              version   accuracy  commit",
        "champion              none",
        "previous-champion     none",
        "challenger               1        0.9",
    ]


def test_an_export_is_restored_on_a_new_server(
    challenge: Challenge, migrated_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    challenge(0.9)
    registry.set_alias("faces", registry.CHAMPION, 1)
    registry.tag_version("faces", 1, {"digest": "d"})
    assert exit_code("export", "registry.json") == 0
    shutil.copy(migrated_store, "mlflow.db")
    assert exit_code("restore", "registry.json") == 0
    assert registry.aliases("faces") == {"challenger": 1, "champion": 1}
    shutil.copy(migrated_store, "mlflow.db")
    shutil.rmtree("mlartifacts")
    assert exit_code("restore", "registry.json") == 1
    assert "Version 1 is not registered, and " in capsys.readouterr().err
    assert exit_code("restore", "none.json") == 1


def test_invalid_commands_and_folders_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    load_params.cache_clear()
    assert exit_code("demote") == 2
    assert "rollback" in capsys.readouterr().err
    assert exit_code("show") == 1
    assert capsys.readouterr().err.startswith("ParamsInvalid: There is no params.yaml")


def test_help_is_a_command(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.promotion", "--help"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "rollback" in done.stdout
