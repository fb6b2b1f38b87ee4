"""Find the file that a name in params.yaml refers to."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from facenet.digests import file_digest
from facenet.errors import DownloadFailed
from tasks.downloads.http import download
from tasks.downloads.official import OFFICIAL
from tasks.paths import DOWNLOADS

MIRRORS = "FACENET_MIRRORS"
_URL = re.compile(r"https?://")


def mirrors() -> list[str]:
    """Return the folders and URLs of the environment variable FACENET_MIRRORS.

    Commas separate them. Between folders and before a URL, `os.pathsep` (":" on Linux) works too; not after a
    URL, which may contain colons.
    """
    separator = re.escape(os.pathsep)
    parts = re.split(rf",|{separator}(?={_URL.pattern})", os.environ.get(MIRRORS, ""))
    split = [[part] if _URL.match(part.strip()) else part.split(os.pathsep) for part in parts]
    return [place.strip() for places in split for place in places if place.strip()]


def locate(
    name: str,
    *,
    sha256: str | None = None,
    urls: Sequence[str] = (),
    downloads: Path = DOWNLOADS,
    pause: float = 1.0,
) -> Path:
    """Return the file or folder called `name`, downloaded into `downloads` if it is not on this machine.

    Tried in order: the name as a path; `downloads`; each folder or URL of FACENET_MIRRORS; `urls`; the
    official URLs of that name. Files with another sha256 are skipped. An absolute path is tried only as a
    path and at `urls`.

    Raises:
        DownloadFailed: it was not found; the message lists every place that was tried, with the reason.
    """
    tried = []
    for place in _folders(name, downloads):
        problem = _problem(place, sha256)
        if problem is None:
            return place
        tried.append(f"{place}: {problem}")
    target = downloads / Path(name).name
    for url, digest in _addresses(name, sha256, urls):
        try:
            download(url, target, sha256=digest, pause=pause)
        except DownloadFailed as error:
            tried.append(f"{url}: {error}")
        else:
            return target
    places = "\n".join(f"  {place}" for place in tried)
    raise DownloadFailed(
        f"{name} was not found. Tried:\n{places}\n"
        f"Copy it to {downloads}, or set {MIRRORS} to a folder or URL that has it. Then run `dvc repro`."
    )


def _folders(name: str, downloads: Path) -> Iterator[Path]:
    path = Path(name).expanduser()
    yield path
    if not path.is_absolute():
        yield downloads / path
        yield from (Path(place).expanduser() / path for place in mirrors() if not _URL.match(place))


def _problem(place: Path, sha256: str | None) -> str | None:
    """Return why the file or folder at `place` cannot be used, None if it can."""
    if not place.exists():
        return "not found"
    if sha256 is None:
        return None
    if place.is_dir():
        return "a folder, which has no sha256; remove the parameter sha256 to use it"
    digest = file_digest(place)
    return None if digest == sha256 else f"its sha256 is {digest}, not {sha256}"


def _addresses(name: str, sha256: str | None, urls: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Yield URLs with the expected sha256 of each."""
    path = Path(name)
    if not path.is_absolute():
        yield from (
            (f"{place.rstrip('/')}/{quote(name)}", sha256) for place in mirrors() if _URL.match(place)
        )
    yield from ((url, sha256) for url in urls)
    if path.name == name and name in OFFICIAL:
        yield from ((url, sha256 or OFFICIAL[name].sha256) for url in OFFICIAL[name].urls)
