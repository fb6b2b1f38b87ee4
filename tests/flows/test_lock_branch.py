"""dvc.lock on a branch, in real Git repositories: what is committed, and what is left alone."""

import subprocess
from pathlib import Path

import pytest

from flows.lock_branch import FALLBACK, NotCommitted, commit_lock, push_branch


def git(*words: str) -> str:
    user = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", *user, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a repository with code.py on main, and a dvc.lock that is not committed."""
    root = tmp_path / "ünï faces #1"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git("init", "-q", "-b", "main")
    change("code.py", "1")
    Path("dvc.lock").write_text("night 1")
    return root


def change(name: str, content: str) -> None:
    Path(name).write_text(content)
    git("add", name)
    git("commit", "-qm", f"Change {name} to {content}")


def test_nights_are_commits_on_the_branch_and_the_checkout_stays() -> None:
    Path("notes.txt").write_text("mine, untracked")
    before = git("status", "--porcelain"), git("rev-parse", "HEAD"), Path(".git/index").read_bytes()
    first = commit_lock("nightly", "Update dvc.lock\n\naccuracy 0.9")
    assert git("show", "nightly:dvc.lock") == "night 1"
    assert git("show", "nightly:code.py") == "1"
    assert git("log", "-1", "--format=%B", "nightly") == "Update dvc.lock\n\naccuracy 0.9"
    assert commit_lock("nightly", "again") == first, "nothing has changed"
    Path("dvc.lock").write_text("night 2")
    second = commit_lock("nightly", "Update dvc.lock")
    assert git("rev-parse", "nightly^") == first
    assert git("ls-tree", "--name-only", second).split() == ["code.py", "dvc.lock"]
    after = git("status", "--porcelain"), git("rev-parse", "HEAD"), Path(".git/index").read_bytes()
    assert after == before


def test_new_code_is_merged_into_the_branch_with_its_lock() -> None:
    first = commit_lock("nightly", "1")
    change("code.py", "2")
    Path("dvc.lock").write_text("night 2")
    made = commit_lock("nightly", "2")
    assert git("rev-parse", f"{made}^1", f"{made}^2").split() == [first, git("rev-parse", "main")]
    assert (git("show", "nightly:code.py"), git("show", "nightly:dvc.lock")) == ("2", "night 2")


def test_on_the_checked_out_branch_the_tree_is_clean_afterwards() -> None:
    commit_lock("main", "1")
    assert git("status", "--porcelain") == ""
    assert git("show", "HEAD:dvc.lock") == "night 1"


def test_a_merged_branch_goes_on_from_main() -> None:
    commit_lock("nightly", "1")
    Path("dvc.lock").unlink()
    git("merge", "-q", "--no-ff", "-m", "Merge", "nightly")
    Path("dvc.lock").write_text("night 2")
    assert git("rev-parse", f"{commit_lock('nightly', '2')}^1") == git("rev-parse", "main")


def test_a_changed_tree_is_refused_with_its_files() -> None:
    Path("code.py").write_text("3")
    with pytest.raises(NotCommitted, match=r"files have changed: code\.py\. Commit them"):
        commit_lock("nightly", "1")
    assert git("branch", "--list", "nightly") == ""


def test_work_of_others_on_the_branch_is_never_undone() -> None:
    commit_lock("nightly", "1")
    Path("dvc.lock").unlink()
    git("switch", "-q", "nightly")
    change("params.yaml", "theirs")
    git("switch", "-q", "main")
    Path("dvc.lock").write_text("night 2")
    with pytest.raises(NotCommitted, match=r"nightly has changes that this checkout lacks: params\.yaml"):
        commit_lock("nightly", "2")
    assert git("show", "nightly:params.yaml") == "theirs"


def test_a_branch_in_another_worktree_is_refused(tmp_path: Path) -> None:
    git("worktree", "add", "-q", "-b", "nightly", str(tmp_path / "other"))
    with pytest.raises(NotCommitted, match=r"nightly is checked out in .*other"):
        commit_lock("nightly", "1")


@pytest.mark.parametrize("name", ["", "two words", "-x", "a..b"])
def test_an_invalid_branch_is_refused(name: str) -> None:
    with pytest.raises(NotCommitted):
        commit_lock(name, "1")


def test_without_git_or_lock_the_fix_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dvc.lock").unlink()
    with pytest.raises(NotCommitted, match=r"There is no dvc\.lock .* Run `dvc repro`"):
        commit_lock("nightly", "1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotCommitted):
        commit_lock("nightly", "1")


def test_an_account_without_a_name_commits_as_the_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL", "")
    git("config", "user.useConfigOnly", "true")
    made = commit_lock("nightly", "1")
    assert git("log", "-1", "--format=%an %ae", made) == " ".join(FALLBACK)


def test_the_branch_is_pushed_to_origin_and_never_by_force(tmp_path: Path) -> None:
    commit_lock("nightly", "1")
    assert push_branch("nightly") is False, "there is no origin"
    git("clone", "-q", "--bare", ".", str(tmp_path / "origin.git"))
    git("remote", "add", "origin", str(tmp_path / "origin.git"))
    Path("dvc.lock").write_text("night 2")
    made = commit_lock("nightly", "2")
    assert push_branch("nightly") is True
    assert git("ls-remote", "origin", "nightly").split()[0] == made
    git("branch", "-f", "nightly", "main")
    with pytest.raises(NotCommitted, match="git push origin nightly"):
        push_branch("nightly")
    assert git("ls-remote", "origin", "nightly").split()[0] == made


def test_a_clone_continues_the_branch_of_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = commit_lock("nightly", "1")
    git("clone", "-q", ".", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    Path("dvc.lock").write_text("night 1")
    assert commit_lock("nightly", "the same") == first == git("rev-parse", "nightly")
    Path("dvc.lock").write_text("night 2")
    assert git("rev-parse", f"{commit_lock('nightly', '2')}^") == first
