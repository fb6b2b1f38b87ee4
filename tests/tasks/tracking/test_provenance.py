import hashlib
import subprocess
from pathlib import Path

import pytest

from tasks.tracking.provenance import commit, dvc_md5, provenance, workspace


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    done = subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A repository with one commit as the working folder; its commit."""
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_ROOT", "DVC_STAGE", "PREFECT__FLOW_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    git("init", "-q")
    Path("params.yaml").write_text("a: 1\n")
    Path("dvc.lock").write_text("schema: '2.0'\n")
    git("add", ".")
    git("commit", "-qm", "First")
    return git("rev-parse", "HEAD")


def test_a_clean_workspace_has_its_commit(repository: str) -> None:
    assert commit() == repository
    assert provenance() == {
        "commit": repository,
        "mlflow.source.git.commit": repository,
        "dirty": "false",
        "dvc_lock_sha256": hashlib.sha256(b"schema: '2.0'\n").hexdigest(),
    }


def test_an_output_has_the_md5_of_dvc_lock(repository: str) -> None:
    assert dvc_md5("data/raw") is None
    outs = "outs: [{path: data/raw, md5: 1.dir}, {path: b, md5: '2'}]"
    Path("dvc.lock").write_text(f"schema: '2.0'\nstages: {{ingest: {{cmd: a}}, align: {{{outs}}}}}\n")
    assert (dvc_md5("data/raw"), dvc_md5("b"), dvc_md5("c")) == ("1.dir", "2", None)
    Path("dvc.lock").unlink()
    assert dvc_md5("data/raw") is None


def test_changed_files_make_it_dirty_but_dvc_lock_and_new_files_do_not(repository: str) -> None:
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    Path("notes.txt").write_text("new")
    assert commit() == repository
    Path("params.yaml").write_text("a: 2\n")
    assert commit() == f"{repository}-dirty"
    tags = provenance()
    assert (tags["commit"], tags["dirty"]) == (repository, "true")


def test_inside_a_stage_the_root_is_dvc_root(repository: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path.cwd()
    Path("inner").mkdir()
    monkeypatch.chdir("inner")
    monkeypatch.setenv("DVC_ROOT", str(root))
    monkeypatch.setenv("DVC_STAGE", "train")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "a-flow-run")
    assert workspace() == root
    tags = provenance()
    assert (tags["dvc_stage"], tags["prefect_flow_run_id"]) == ("train", "a-flow-run")


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == ""
    assert "commit" not in provenance()
