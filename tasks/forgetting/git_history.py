"""Git's history: commits with the person's name or digests are named; only Git's own tools rewrite them."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks import paths
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

BY_HAND = "rewrite the history with `git filter-repo` and push it; other clones keep it until they follow"
# Files that name people or photos, and folders of the person.
NAMED = ("labels", "*.dvc", f":(exclude){paths.FORGOTTEN.as_posix()}")
MOST = 1000  # digests in one search: a command line has a limit
SHOWN = 3


@dataclass
class GitHistory:
    """The commits of all branches of the workspace `root`."""

    root: Path
    name: str = "Git history"

    def find(self, person: Person) -> list[Finding]:
        """Return one finding with the commits; none without Git."""
        commits = sorted(set(self._commits(person)))
        if not commits:
            return []
        shown = ", ".join(commits[:SHOWN]) + (" ..." if len(commits) > SHOWN else "")
        return [Finding(f"commits {shown}", Action.LEFT, BY_HAND, len(commits))]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Do nothing: all findings are left."""

    def _commits(self, person: Person) -> Iterator[str]:
        for name in sorted(person.identities):
            yield from self._log("--", f":(glob)**/{name}/**")
        texts = [re.escape(name) for name in sorted(person.identities)] + sorted(person.photos | person.md5)
        for start in range(0, len(texts), MOST):
            pattern = "|".join(texts[start : start + MOST])
            yield from self._log("-E", f"-G({pattern})", "--", *NAMED)

    def _log(self, *words: str) -> list[str]:
        command = ["git", "-C", str(self.root), "log", "--all", "--format=%h", *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:  # a container without Git
            return []
        return done.stdout.split()
