"""Commit dvc.lock on a branch with git's plumbing: neither the index nor a file of the workspace changes."""

import os
import subprocess
import tempfile
from pathlib import Path

from facenet.errors import FaceNetError
from tasks.redaction import redact

LOCK = "dvc.lock"
ORIGIN = "origin"
PUSH_SECONDS = 120
FALLBACK = ("facenet-pipeline", "facenet-pipeline@localhost")  # a worker's account has no name of its own
NOBODY = "0" * 40  # what update-ref expects for a branch that does not exist yet


class NotCommitted(FaceNetError):
    """dvc.lock was not committed; the message names the reason and the fix."""


def commit_lock(branch: str, message: str) -> str:
    """Commit dvc.lock with the code of HEAD on `branch`, and return the id of the commit.

    The branch is created if necessary, from origin's branch of that name or from HEAD. Its new commit has the
    tree of HEAD with the present dvc.lock. If the branch already has both, its last commit is returned.

    Raises:
        NotCommitted: there is no Git repository or no dvc.lock, tracked files have changed, the branch is
            checked out elsewhere, or it has changes that HEAD lacks.
    """
    _check(branch)
    head, tip = _git("rev-parse", "HEAD"), _tip(branch)
    tree = _tree(head)
    parents = [head]
    if tip:
        _check_changes(branch, tip, head)
        if _git("rev-parse", f"{tip}^{{tree}}") == tree and _is_ancestor(head, tip):
            if not _local(branch):
                _git("update-ref", f"refs/heads/{branch}", tip, NOBODY)
            return tip
        parents = [tip] if _is_ancestor(head, tip) else [head] if _is_ancestor(tip, head) else [tip, head]
    words = [word for parent in parents for word in ("-p", parent)]
    made = _git("commit-tree", tree, *words, "-m", message, env=_identity())
    _git("update-ref", f"refs/heads/{branch}", made, _local(branch) or NOBODY)
    if _git("branch", "--show-current") == branch:
        _git("reset", "--quiet", "--", LOCK)  # the index follows the branch; the file is already the same
    return made


def push_branch(branch: str) -> bool:
    """Push the branch to origin, never by force; return False if there is no such remote.

    Raises:
        NotCommitted: Git could not push; the commit is on the local branch.
    """
    if ORIGIN not in _git("remote").split():
        return False
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    try:
        _git("push", "--quiet", ORIGIN, f"refs/heads/{branch}", env=env, seconds=PUSH_SECONDS)
    except NotCommitted as error:
        raise NotCommitted(
            f"The commit on {branch} was not pushed: {error} Push it with `git push {ORIGIN} {branch}`."
        ) from error
    return True


def _check(branch: str) -> None:
    _git("check-ref-format", "--branch", branch)
    if not Path(LOCK).exists():
        raise NotCommitted(f"There is no {LOCK} in {Path.cwd()}. Run `dvc repro`.")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", f":(exclude){LOCK}")
    if changed:
        names = ", ".join(line[2:].strip() for line in changed.splitlines())
        raise NotCommitted(
            f"The commit would not be what ran, because files have changed: {names}. Commit them."
        )
    here = _git("rev-parse", "--show-toplevel")
    for worktree in _git("worktree", "list", "--porcelain").split("\n\n"):
        lines = worktree.splitlines()
        if f"branch refs/heads/{branch}" in lines and lines[0] != f"worktree {here}":
            raise NotCommitted(
                f"{branch} is checked out in {lines[0].removeprefix('worktree ')}. Choose another branch."
            )


def _check_changes(branch: str, tip: str, head: str) -> None:
    """Check that nothing but dvc.lock has changed on the branch: the code of HEAD would undo it."""
    base = _git("merge-base", tip, head)
    changed = _git("diff", "--name-only", base, tip, "--", ":/", f":(exclude){LOCK}")
    if changed:
        raise NotCommitted(
            f"{branch} has changes that this checkout lacks: {', '.join(changed.splitlines())}. Merge them."
        )


def _tree(head: str) -> str:
    """Write the tree of HEAD with the present dvc.lock, by way of an index of our own, and return its id."""
    blob = _git("hash-object", "-w", LOCK)
    place = _git("rev-parse", "--show-prefix") + LOCK
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git("read-tree", head, env=env)
        _git("update-index", "--add", "--cacheinfo", f"100644,{blob},{place}", env=env)
        return _git("write-tree", env=env)


def _tip(branch: str) -> str:
    return _local(branch) or _found(f"refs/remotes/{ORIGIN}/{branch}")


def _local(branch: str) -> str:
    return _found(f"refs/heads/{branch}")


def _found(reference: str) -> str:
    """Return the commit that a reference names, "" if it does not exist."""
    return _git("for-each-ref", "--format=%(objectname)", reference)


def _is_ancestor(older: str, newer: str) -> bool:
    return _git("merge-base", older, newer) == older


def _identity() -> dict[str, str]:
    """Return the environment that names the author if Git knows none."""
    try:
        _git("var", "GIT_COMMITTER_IDENT")
    except NotCommitted:
        name, email = FALLBACK
        return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", name), ("EMAIL", email))}  # fmt: skip
    return {}


def _git(*words: str, env: dict[str, str] | None = None, seconds: float | None = None) -> str:
    command = ["git", *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env={**os.environ, **(env or {})}
        )
    except FileNotFoundError as error:
        raise NotCommitted("git is not installed. Install it.") from error
    except subprocess.TimeoutExpired as error:
        raise NotCommitted(f"git {words[0]} did not end within {seconds:.0f} s.") from error
    if done.returncode:
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise NotCommitted(redact(f"git {words[0]}: {last.removeprefix('fatal: ').rstrip('.')}."))
    return done.stdout.strip()
