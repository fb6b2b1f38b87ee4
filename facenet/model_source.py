"""Where a model comes from: a folder, a registry, the pretrained one, or whichever of them there is."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facenet import pretrained
from facenet.errors import SourceInvalid
from facenet.model import CARD
from facenet.registry import SCHEME, RegisteredVersion, download_version, find_version, store_uri

PRETRAINED = "pretrained"
PRETRAINED_ORIGIN = "pretrained (dlib's ResNet, CC0)"
CHAMPION = "models:/facenet@champion"
WORKSPACE = Path("models")


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    words: printable. place: the registered version, the absolute folder, or None for the pretrained model.
    """

    words: str
    place: RegisteredVersion | Path | None

    def __str__(self) -> str:
        return self.words


@contextmanager
def model_folder(source: str | Path | None) -> Iterator[tuple[Path, Origin]]:
    """Yield the folder with a model's files, and its origin; a downloaded one is then removed.

    source: "models:/NAME@ALIAS", "models:/NAME/VERSION", "pretrained", or a folder; None: the champion
        `models:/facenet@champion` of the registry in MLFLOW_TRACKING_URI or in the working folder, without
        one the folder models/, and without that the pretrained model.

    Raises:
        SourceInvalid: the registry has no such version, or cannot be used.
        WeightsInvalid: a package that the pretrained model needs is missing or damaged.
    """
    version = version_of(source)
    if version is not None:
        with tempfile.TemporaryDirectory(prefix="facenet-model-") as scratch:
            yield download_version(version, Path(scratch)), Origin(str(version), version)
    elif (folder := local_folder(source)) is None:
        yield pretrained.folder(), Origin(PRETRAINED_ORIGIN, None)
    else:
        words = str(source) if source is not None else f"{WORKSPACE}/ (of this workspace)"
        yield folder, Origin(words, folder.absolute())


def local_folder(source: str | Path | None) -> Path | None:
    """Return the folder of a model that is not registered; None for the pretrained model."""
    if source is None:
        return WORKSPACE if (WORKSPACE / CARD).exists() else None
    return None if source == PRETRAINED else Path(source)


def version_of(source: str | Path | None) -> RegisteredVersion | None:
    """Return the version that a source means, None if it means something else.

    Raises:
        SourceInvalid: the registry has no such version, or cannot be used.
    """
    if source is None:
        return find_version(CHAMPION) if store_uri() else None
    if not isinstance(source, str) or not source.startswith(SCHEME):
        return None
    version = find_version(source)
    if version is None:
        raise SourceInvalid(f"The registry has no {source}. Run `facenet results`, or `dvc repro register`.")
    return version
