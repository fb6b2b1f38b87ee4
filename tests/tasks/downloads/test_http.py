import hashlib
import socket
from pathlib import Path

import pytest

from facenet.digests import file_digest
from facenet.errors import DownloadFailed
from tasks.downloads.http import ATTEMPTS, download
from tests.tasks.downloads.conftest import Site

BODY = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(BODY).hexdigest()


def _fetch(site: Site, folder: Path, **options: str) -> Path:
    site.files.setdefault("/a.tgz", BODY)
    download(f"{site.url}/a.tgz", folder / "new" / "a.tgz", pause=0, **options)
    return folder / "new" / "a.tgz"


def test_a_file_is_complete_and_no_other_is_left(site: Site, tmp_path: Path) -> None:
    path = _fetch(site, tmp_path, sha256=DIGEST)
    assert path.read_bytes() == BODY
    assert list(path.parent.iterdir()) == [path]
    assert file_digest(path) == DIGEST


def test_a_broken_connection_is_resumed(site: Site, tmp_path: Path) -> None:
    site.breaks = [100_000, 1, 300_000]
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY
    ranges = [byte_range for _, byte_range in site.requests]
    assert ranges == [None, "bytes=100000-", "bytes=100001-", "bytes=400001-"]


def test_progress_resets_the_number_of_attempts(site: Site, tmp_path: Path) -> None:
    site.breaks = [10] * (3 * ATTEMPTS)
    assert _fetch(site, tmp_path).read_bytes() == BODY
    assert len(site.requests) == 3 * ATTEMPTS + 1


def test_a_later_call_resumes_the_download(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed, match=f"{ATTEMPTS} attempts"):
        _fetch(site, tmp_path)
    assert not (tmp_path / "new" / "a.tgz").exists()
    site.breaks, site.requests = [], []
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY
    assert site.requests == [("/a.tgz", "bytes=1000-")]


def test_a_file_changed_on_the_server_is_downloaded_again(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed):
        _fetch(site, tmp_path)
    site.breaks, site.version, site.files["/a.tgz"] = [], '"2"', BODY[::-1]
    assert _fetch(site, tmp_path).read_bytes() == BODY[::-1]


@pytest.mark.parametrize("damaged", [b"", b"\xff\xfe", b'"1"\r\nX: y'])
def test_a_damaged_version_restarts_the_download(site: Site, tmp_path: Path, damaged: bytes) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed):
        _fetch(site, tmp_path)
    (version,) = (tmp_path / "new").glob(".*.version")
    version.write_bytes(damaged)
    site.breaks, site.requests = [], []
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY
    assert site.requests == [("/a.tgz", None)]


@pytest.mark.parametrize("version", [None, 'W/"weak"'])
def test_without_a_strong_version_nothing_is_resumed(site: Site, tmp_path: Path, version: str | None) -> None:
    site.version, site.breaks = version, [1000]
    assert _fetch(site, tmp_path).read_bytes() == BODY
    assert [byte_range for _, byte_range in site.requests] == [None, None]


def test_a_server_without_ranges_sends_the_whole_file(site: Site, tmp_path: Path) -> None:
    site.ranges, site.breaks = False, [1000, 2000]
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY


def test_a_file_that_became_shorter_is_downloaded_again(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed):
        _fetch(site, tmp_path)
    site.breaks, site.files["/a.tgz"] = [], b"short"
    assert _fetch(site, tmp_path).read_bytes() == b"short"


def test_a_busy_server_is_retried_and_a_refusal_is_not(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    assert _fetch(site, tmp_path).read_bytes() == BODY
    site.requests, site.statuses = [], [403]
    with pytest.raises(DownloadFailed, match="HTTP 403"):
        download(f"{site.url}/a.tgz", tmp_path / "b.tgz", pause=0)
    assert len(site.requests) == 1


def test_bytes_with_a_wrong_digest_are_deleted(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=DIGEST):
        _fetch(site, tmp_path, sha256="0" * 64)
    assert list((tmp_path / "new").iterdir()) == []


def test_an_unreachable_server_is_a_short_error(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.tgz"
        with pytest.raises(DownloadFailed, match="ConnectionRefusedError") as caught:
            download(url, tmp_path / "a.tgz", pause=0)
    assert len(str(caught.value)) < 100


def test_pauses_double(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    site.statuses = [503] * ATTEMPTS
    with pytest.raises(DownloadFailed):
        download(f"{site.url}/a.tgz", tmp_path / "a.tgz", pause=1.0)
    assert pauses == [1.0, 2.0, 4.0]
