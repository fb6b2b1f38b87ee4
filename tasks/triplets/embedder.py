"""The model named by `triplets.embedder`: a folder, or a version in the MLflow model registry.

DVC does not notice when an alias such as @champion moves. The report therefore records the version, and the
flow runs the stage again if `is_current` is false. A manual `dvc repro` keeps the triplets of the last run;
`dvc repro --force --single-item triplets` mines them again.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from facenet.errors import SourceInvalid
from tasks import paths
from tasks.reports import read_report
from tasks.tracking.registry import Version, aliased_version, download_version, get_version

REGISTERED = re.compile(r"models:/(?P<model>[^/@]+)(?:@(?P<alias>[\w.-]+)|/(?P<number>\d+))")
WEIGHTS, CARD = paths.WEIGHTS.name, paths.MODEL_CARD.name


@dataclass(frozen=True)
class Origin:
    """The identity of a model: its name in params.yaml, its version (None for a folder) and its digest.

    digest: of a version, as recorded in the registry; of a folder, the sha256 of the weights.
    """

    embedder: str
    version: int | None
    digest: str


@contextmanager
def opened(embedder: str) -> Iterator[tuple[Path, Origin] | None]:
    """Yield a folder with facenet.safetensors and model.json, and the origin of the model.

    Yield None if the registry has no such version yet: before the first promotion there is no champion.

    Raises:
        SourceInvalid: the name is invalid, or the folder does not contain a model.
        TrackingFailed: the registry cannot be reached.
    """
    if not embedder.startswith("models:"):
        yield Path(embedder), _of_folder(embedder)
        return
    version = find(embedder)
    if version is None:
        yield None
        return
    with TemporaryDirectory() as scratch:
        yield download_version(version, Path(scratch)), _of_version(embedder, version)


def find(embedder: str) -> Version | None:
    """Return the current version of `models:/NAME@ALIAS` or `models:/NAME/NUMBER`, or None."""
    parts = REGISTERED.fullmatch(embedder)
    if parts is None:
        raise SourceInvalid(
            f"triplets.embedder {embedder!r} is not a valid registry model. "
            "Write models:/facenet@champion, models:/facenet/3, or the path of a folder."
        )
    if parts["alias"]:
        return aliased_version(parts["model"], parts["alias"])
    return get_version(parts["model"], int(parts["number"]))


def is_current(report: Path | None = None) -> bool:
    """Return whether `triplets.embedder` still names the model of the last run of the stage.

    True without a report or embedder: DVC tracks all other dependencies.
    """
    path = report or paths.report("triplets")
    used = read_report(path).get("embedder") if path.exists() else None
    return used is None or used == describe(used["embedder"])


def describe(embedder: str) -> Mapping[str, Any]:
    """Return the current entry of the model in the report."""
    if not embedder.startswith("models:"):
        return asdict(_of_folder(embedder))
    version = find(embedder)
    return unavailable(embedder) if version is None else asdict(_of_version(embedder, version))


def unavailable(embedder: str) -> Mapping[str, Any]:
    """Return the entry in the report if there is no such version."""
    return {"embedder": embedder, "version": None, "digest": None}


def _of_version(embedder: str, version: Version) -> Origin:
    return Origin(embedder, version.number, version.tags.get("digest", ""))


def _of_folder(embedder: str) -> Origin:
    from facenet.model import ModelCard  # imports torch, which registry look-ups need not wait for

    folder = Path(embedder)
    if not (folder / CARD).exists() or not (folder / WEIGHTS).exists():
        raise SourceInvalid(
            f"triplets.embedder {embedder!r} is not a folder with {WEIGHTS} and {CARD}. "
            "Write models:/facenet@champion for a model of the registry."
        )
    return Origin(embedder, None, ModelCard.read(folder / CARD).weights_sha256)
