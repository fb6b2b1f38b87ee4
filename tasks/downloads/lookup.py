"""Find the file that a name in params.yaml refers to."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from facenet.digests import file_digest
from facenet.errors import DownloadFailed
from tasks.downloads.http import download as fetch
from tasks.downloads.official import OFFICIAL
from tasks.paths import DOWNLOADS
from tasks.redaction import redact

MIRRORS = "FACENET_MIRRORS"
_URL = re.compile(r"https?://")

Digest = Callable[[Path], str]


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
    download: bool = True,
    digest: Digest = file_digest,
) -> Path:
    """Return the file or folder called `name`, downloaded into `downloads` if it is not on this machine.

    Tried in order: the name as a path; `downloads`; each folder or URL of FACENET_MIRRORS; `urls`; the
    official URLs of that name. Files with another sha256 are skipped. An absolute path is tried only as a
    path and at `urls`. Names in another Unicode form than the file's are found.

    download: whether the URLs are tried. digest: computes the sha256 of a file.

    Raises:
        DownloadFailed: it was not found; the message lists every place that was tried, with the reason.
    """
    tried = []
    for place in map(_in_any_form, _folders(name, downloads)):
        problem = _problem(place, sha256, digest)
        if problem is None:
            return place
        tried.append(f"{place}: {problem}")
    target = downloads / Path(name).name
    for url, expected in _addresses(name, sha256, urls) if download else ():
        try:
            fetch(url, target, sha256=expected, pause=pause)
        except DownloadFailed as error:
            tried.append(redact(f"{url}: {error}"))
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


def _in_any_form(path: Path) -> Path:
    """Return the existing file whose name equals `path` but for the Unicode form, else `path`."""
    if path.exists() or str(path).isascii():
        return path
    found = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        if not (found / part).exists():
            expected = unicodedata.normalize("NFC", part)
            same = [name for name in _names(found) if unicodedata.normalize("NFC", name) == expected]
            part = min(same, default=part)
        found /= part
    return found if found.exists() else path


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:  # missing, or not readable: the file is not found there
        return []


def _problem(place: Path, sha256: str | None, digest: Digest) -> str | None:
    """Return why the file or folder at `place` cannot be used, None if it can."""
    if not place.exists():
        return "not found"
    if not (place.is_file() or place.is_dir()):
        return "not a file or folder"  # such as a pipe, which must not be opened
    if sha256 is None:
        return None
    if place.is_dir():
        return "a folder, which has no sha256; remove the parameter sha256 to use it"
    found = digest(place)
    return None if found == sha256 else f"its sha256 is {found}, not {sha256}"


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
