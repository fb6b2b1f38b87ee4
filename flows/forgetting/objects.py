"""The objects and run-cache entries of DVC's cache or of a remote, and which of them have a person."""

import json
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tasks.forgetting.inspection import Inspection, may_show_faces

FOLDER = ".dir"  # ends the names of objects that list the files of a folder
DRAWN = (b"\x89PNG", b"<")  # begins the plots and pages that stages write
Listing = list[tuple[str, str]]  # MD5 and path of each file of a folder


@dataclass
class Store:
    """A cache or remote of DVC. opened: returns its file system and its path, if it answers."""

    opened: Callable[[], tuple[Any, str]]
    scratch: Path

    @cached_property
    def fs(self) -> Any:
        """The file system."""
        return self._place[0]

    @cached_property
    def path(self) -> str:
        """The path in the file system."""
        return self._place[1]

    @cached_property
    def _place(self) -> tuple[Any, str]:
        return self.opened()

    @cached_property
    def objects(self) -> dict[str, str]:
        """The path of each object by its MD5; those of DVC 2 lie directly in the root."""
        found = {}
        for path in self._files():
            parts = path.split("/")
            if len(parts) == 2 or parts[:2] == ["files", "md5"]:
                digest = "".join(parts[-2:])
                if len(digest.removesuffix(FOLDER)) == 32:
                    found[digest] = self.fs.join(self.path, *parts)
        return dict(sorted(found.items()))

    @cached_property
    def runs(self) -> list[str]:
        """The paths of the run cache's entries, sorted."""
        return [
            self.fs.join(self.path, *path.split("/")) for path in self._files() if path.startswith("runs/")
        ]

    def local(self, path: str) -> Path:
        """Return the object as a file of this machine; one of a remote is downloaded to be looked at."""
        if getattr(self.fs, "protocol", "") == "local":
            return Path(path)
        target = self.scratch / "object"
        target.unlink(missing_ok=True)
        self.fs.get_file(path, str(target))
        return target

    def remove(self, path: str) -> None:
        """Remove an object or entry, if it exists."""
        if self.fs.exists(path):
            self.fs.remove(path)
        vars(self).pop("objects", None)
        vars(self).pop("runs", None)

    def _files(self) -> list[str]:
        if not self.fs.exists(self.path):
            return []
        return sorted(self.fs.as_posix(self.fs.relpath(path, self.path)) for path in self.fs.find(self.path))


@dataclass
class Verdicts:
    """Which objects have the person, by MD5; an object is read once, in whichever store it is found first.

    held: those that have. clean: those that have not. pictures: plots and pages with pictures, whose faces
    cannot be recognised.
    """

    inspection: Inspection
    held: set[str] = field(default_factory=set)
    clean: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)

    def judge(self, store: Store) -> None:
        """Read the objects of a store that were not read before."""
        for digest, path in store.objects.items():
            if digest not in self.held | self.clean | self.pictures:
                self._judge(digest, store.local(path))

    def judge_listed(self, lists: Mapping[str, "Listing"]) -> None:
        """Decide on folders, by what they list, and on what lies in them.

        A file in a folder of the person's name is held, unless another folder has it under another name. The
        pictures in folders are photos, not plots.
        """
        files = {file for listing in lists.values() for file in listing}
        theirs = {md5 for md5, path in files if self.inspection.is_name(path)}
        others = {md5 for md5, path in files if not self.inspection.is_name(path)}
        self.held |= theirs - others
        self.pictures -= theirs | others
        self.clean |= others - self.held
        self.held |= {digest for digest, listing in lists.items() if {md5 for md5, _ in listing} & self.held}

    def judge_pictures(self, entries: Sequence["Entry"], tracked: Collection[str]) -> None:
        """Decide on pictures by what they were drawn from: one of unknown origin counts as held.

        tracked: the MD5s of files of `dvc add`, which are no plots.
        """
        drawn: dict[str, list[Entry]] = {}
        for entry in entries:
            for digest in entry.outs:
                drawn.setdefault(digest, []).append(entry)
        for digest in sorted(self.pictures - set(tracked)):
            origins = drawn.get(digest)
            if not origins or any((entry.outs | entry.deps) & self.held for entry in origins):
                self.held.add(digest)

    def _judge(self, digest: str, file: Path) -> None:
        head = _head(file)
        if self.inspection.holds(file):
            self.held.add(digest)
        elif may_show_faces("", head) and head.startswith(DRAWN):
            self.pictures.add(digest)
        else:
            self.clean.add(digest)


@dataclass(frozen=True)
class Entry:
    """A run: of the run cache at `path`, or of a dvc.lock. deps, outs: MD5s."""

    path: str
    deps: frozenset[str]
    outs: frozenset[str]


def run_cache(store: Store) -> list[Entry]:
    """Return the entries of a run cache; one that cannot be read has neither deps nor outs."""
    found = []
    for path in store.runs:
        with store.fs.open(path, "rb") as file:
            found.append(entry(path, file.read()))
    return found


def entry(path: str, text: bytes) -> Entry:
    """Return the entry in a text of the run cache."""
    try:
        content = yaml.safe_load(text)
        deps, outs = (
            frozenset(out["md5"] for out in content.get(key, ()) if "md5" in out) for key in ("deps", "outs")
        )
    except (yaml.YAMLError, AttributeError, TypeError, KeyError):
        return Entry(path, frozenset(), frozenset())
    return Entry(path, deps, outs)


def listings(store: Store) -> dict[str, Listing]:
    """Return what each folder object lists; nothing for one that cannot be read."""
    return {
        digest: _listing(store, path) for digest, path in store.objects.items() if digest.endswith(FOLDER)
    }


def _listing(store: Store, path: str) -> Listing:
    with store.fs.open(path, "rb") as file:
        try:
            return [(item["md5"], item["relpath"]) for item in json.loads(file.read())]
        except (ValueError, TypeError, KeyError):
            return []


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(1 << 20)


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """Return a temporary folder for objects of remotes."""
    return tempfile.TemporaryDirectory(prefix="facenet-forget-")
