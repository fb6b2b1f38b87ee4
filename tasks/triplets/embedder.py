"""The model that `triplets.embedder` names: a folder, or a version in the MLflow model registry.

An alias such as @champion moves without DVC's knowledge. The report therefore says which version it was, and
`is_current` tells the flow, which runs the stage again when the alias has moved. `dvc repro` by hand keeps
what the last run has mined: `dvc repro --force --single-item triplets` looks again.
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
    """Which model it is: its name in params.yaml, its version (None of a folder) and what identifies it.

    digest: of all that decides the answers, as the registry has it; of a folder the sha256 of the weights.
    """

    embedder: str
    version: int | None
    digest: str


@contextmanager
def opened(embedder: str) -> Iterator[tuple[Path, Origin] | None]:
    """Yield a folder with facenet.safetensors and model.json, and which model it is.

    None, if the registry has no such version yet: of a first run there is no champion.

    Raises:
        SourceInvalid: the name is none, or the folder is no model.
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
    """Return the version in the registry that `models:/NAME@ALIAS` or `models:/NAME/NUMBER` is now."""
    parts = REGISTERED.fullmatch(embedder)
    if parts is None:
        raise SourceInvalid(
            f"triplets.embedder {embedder!r} is no model of a registry. "
            "Write models:/facenet@champion, models:/facenet/3, or the path of a folder."
        )
    if parts["alias"]:
        return aliased_version(parts["model"], parts["alias"])
    return get_version(parts["model"], int(parts["number"]))


def is_current(report: Path | None = None) -> bool:
    """Tell whether the model that the last run of the stage mined with still bears its name.

    True without a report, or where no model has mined: all else is for DVC to know.
    """
    path = report or paths.report("triplets")
    used = read_report(path).get("embedder") if path.exists() else None
    return used is None or used == describe(used["embedder"])


def describe(embedder: str) -> Mapping[str, Any]:
    """Return what the report says of the model, as it is now."""
    if not embedder.startswith("models:"):
        return asdict(_of_folder(embedder))
    version = find(embedder)
    return unavailable(embedder) if version is None else asdict(_of_version(embedder, version))


def unavailable(embedder: str) -> Mapping[str, Any]:
    """Return what the report says where there is no such version."""
    return {"embedder": embedder, "version": None, "digest": None}


def _of_version(embedder: str, version: Version) -> Origin:
    return Origin(embedder, version.number, version.tags.get("digest", ""))


def _of_folder(embedder: str) -> Origin:
    from facenet.model import ModelCard  # with torch, which a look into the registry need not wait for

    folder = Path(embedder)
    if not (folder / CARD).exists() or not (folder / WEIGHTS).exists():
        raise SourceInvalid(
            f"triplets.embedder {embedder!r} is no folder with {WEIGHTS} and {CARD}. "
            "Write models:/facenet@champion for a model of the registry."
        )
    return Origin(embedder, None, ModelCard.read(folder / CARD).weights_sha256)
