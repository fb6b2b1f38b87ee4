"""DVC's cache and remotes: all versions of outputs that have the person, and the runs that name them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facenet.errors import FaceNetError
from flows.forgetting.objects import FOLDER, Store, Verdicts, listings, run_cache, scratch
from tasks.forgetting.files import remove
from tasks.forgetting.inspection import Inspection, is_table
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.redaction import redact


class DvcFailed(FaceNetError):
    """DVC cannot do what forgetting needs; the message has its words."""


@dataclass
class DvcStore:
    """The cache of the workspace `root`, and its remotes by name.

    verdicts: of the last search, for what else depends on them, such as the marks of model versions.
    """

    root: Path
    remotes: Sequence[str] | None = None  # all by default
    name: str = "DVC"
    verdicts: Verdicts | None = None

    def tables(self) -> list[Path]:
        """Return the Arrow and Parquet files in the cache, of all versions."""
        with self._opened() as (repo, _):
            legacy = repo.cache.legacy
            cache = Store(lambda: (legacy.fs, legacy.path), self.root)
            return [path for path in map(Path, cache.objects.values()) if is_table(path)]

    def find(self, person: Person) -> list[Finding]:
        """Return a finding for each store that has objects or entries, and for each remote out of reach."""
        found = []
        with self._opened() as (repo, stores):
            # Objects never change, so those of an earlier search are not read again.
            self.verdicts = verdicts = self.verdicts or Verdicts(Inspection(person))
            reached = {}
            for name, store in stores.items():
                try:
                    verdicts.judge(store)
                    reached[name] = store
                except Exception as error:  # noqa: BLE001  # each file system has errors of its own
                    reason = redact(" ".join(str(error).split()) or type(error).__name__)
                    found.append(Finding(name, Action.LEFT, f"it does not answer: {reason}"))
            _complete(reached, verdicts, _tracked_digests(repo))
            person.versions |= verdicts.held
            person.other_versions |= {
                digest for digest in verdicts.clean - verdicts.held if digest.endswith(FOLDER)
            }
            for name, store in reached.items():
                if count := len(_theirs(store, verdicts)):
                    found.append(Finding(name, count=count, note="objects and entries of the run cache"))
            tracked = (stage.relpath for stage in _tracked(repo, person))
            found += [Finding(path, Action.REWRITE, "tracks photos; commit it again") for path in tracked]
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Remove the objects and entries, then commit what `dvc add` tracks, and remove DVC's own notes."""
        assert self.verdicts is not None
        chosen = {finding.what for finding in findings}
        with self._opened() as (repo, stores):
            for name, store in stores.items():
                for path in _theirs(store, self.verdicts) if name in chosen else ():
                    store.remove(path)
            for stage in _tracked(repo, person):
                if all(out.exists for out in stage.outs):
                    repo.commit(stage.addressing, force=True)
                else:
                    repo.remove(stage.addressing)
            notes = Path(repo.site_cache_dir)
        remove(notes)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, dict[str, Store]]]:
        from dvc.exceptions import DvcException
        from dvc.lock import LockNoop
        from dvc.repo import Repo

        with ExitStack() as stack:
            try:
                repo: Any = stack.enter_context(Repo(str(self.root)))
                repo.lock = LockNoop()  # `alone` holds it
                folder = Path(stack.enter_context(scratch()))
                legacy = repo.cache.legacy
                stores = {f"cache {legacy.path}": Store(lambda: (legacy.fs, legacy.path), folder)}
                for name in self._chosen(repo):
                    stores[f"remote {name}"] = Store(partial(_remote, repo, name), folder)
            except DvcException as error:
                raise DvcFailed(redact(f"DVC says: {' '.join(str(error).split())}.")) from error
            yield repo, stores

    def _chosen(self, repo: Any) -> list[str]:
        return sorted(repo.config.get("remote", {})) if self.remotes is None else list(self.remotes)


def _complete(stores: dict[str, Store], verdicts: Verdicts, tracked: Collection[str]) -> None:
    """Decide on folders and pictures, which depend on other objects."""
    for _ in range(2):
        for store in stores.values():
            verdicts.judge_listed(listings(store))
        verdicts.judge_pictures([e for store in stores.values() for e in run_cache(store)], tracked)


def _remote(repo: Any, name: str) -> tuple[Any, str]:
    remote = repo.cloud.get_remote(name)
    return remote.fs, remote.path


def _theirs(store: Store, verdicts: Verdicts) -> list[str]:
    """Return the paths of held objects, and of entries of the run cache that name one."""
    objects = [path for digest, path in store.objects.items() if digest in verdicts.held]
    entries = (entry for entry in run_cache(store) if (entry.deps | entry.outs) & verdicts.held)
    return [*objects, *(entry.path for entry in entries)]


def _tracked(repo: Any, person: Person) -> list[Any]:
    """Return the .dvc files, of `dvc add`, whose files or folders are objects with the person."""
    stages = (stage for stage in repo.index.stages if stage.is_data_source)
    return [stage for stage in stages if any(out.hash_info.value in person.versions for out in stage.outs)]


def _tracked_digests(repo: Any) -> set[str]:
    stages = (stage for stage in repo.index.stages if stage.is_data_source)
    return {out.hash_info.value for stage in stages for out in stage.outs}
