"""Where the sources of params.yaml are on this machine."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.errors import FaceNetError
from tasks import paths
from tasks.ingest.sources import Opening, open_source
from tasks.params.sources import Source

PACKAGES = {"site-packages", "dist-packages"}  # of .venv: `make setup` would bring its files back

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Located:
    """A file or folder that a source reads. inside: whether it is in the workspace, links resolved."""

    path: Path
    inside: bool


def locate_sources(sources: Sequence[Source], root: Path) -> list[Located]:
    """Return what the sources read, once each, in their order; nothing is downloaded.

    A source that is not on this machine, or whose lists cannot be read, is logged and left out.
    """
    found: dict[Path, Located] = {}
    for source in sources:
        for path in map(Path.absolute, _paths(source, root)):
            found.setdefault(path, Located(path, is_inside(path, root)))
    return list(found.values())


def _paths(source: Source, root: Path) -> list[Path]:
    """Return what a source reads; with any sha256 if nothing has the right one, after an interruption."""
    any_digest = source.model_copy(update={"sha256": None} if "sha256" in type(source).model_fields else {})
    problem = None
    for attempt in (source, any_digest):
        opening = Opening(root / paths.DOWNLOADS, download=False)
        try:
            open_source(attempt, opening)
        except FaceNetError as error:
            problem = error
        if opening.located:
            return opening.located
    logger.warning("A source of kind %s is not searched: %s", source.kind, str(problem).splitlines()[0])
    return []


def is_inside(path: Path, root: Path) -> bool:
    """Return whether a file or folder is in the workspace after links are resolved, and not in a package."""
    real = path.resolve()
    return real.is_relative_to(root.resolve()) and not PACKAGES & set(real.parts)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, sorted, and links as they are; folders behind links are not entered."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from files_below(path)
        else:
            yield path
