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


def test_a_file_arrives_whole_and_alone(site: Site, tmp_path: Path) -> None:
    path = _fetch(site, tmp_path, sha256=DIGEST)
    assert path.read_bytes() == BODY
    assert list(path.parent.iterdir()) == [path]
    assert file_digest(path) == DIGEST


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.breaks = [100_000, 1, 300_000]
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY
    asked = [wanted for _, wanted in site.requests]
    assert asked == [None, "bytes=100000-", "bytes=100001-", "bytes=400001-"]


def test_progress_gives_new_patience(site: Site, tmp_path: Path) -> None:
    site.breaks = [10] * (3 * ATTEMPTS)
    assert _fetch(site, tmp_path).read_bytes() == BODY
    assert len(site.requests) == 3 * ATTEMPTS + 1


def test_a_later_call_goes_on_with_what_is_there(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed, match=f"{ATTEMPTS} attempts"):
        _fetch(site, tmp_path)
    assert not (tmp_path / "new" / "a.tgz").exists()
    site.breaks, site.requests = [], []
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY
    assert site.requests == [("/a.tgz", "bytes=1000-")]


def test_a_file_that_has_changed_meanwhile_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed):
        _fetch(site, tmp_path)
    site.breaks, site.version, site.files["/a.tgz"] = [], '"2"', BODY[::-1]
    assert _fetch(site, tmp_path).read_bytes() == BODY[::-1]


@pytest.mark.parametrize("version", [None, 'W/"weak"'])
def test_without_a_certain_version_nothing_is_continued(
    site: Site, tmp_path: Path, version: str | None
) -> None:
    site.version, site.breaks = version, [1000]
    assert _fetch(site, tmp_path).read_bytes() == BODY
    assert [wanted for _, wanted in site.requests] == [None, None]


def test_a_server_without_ranges_sends_it_all_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.breaks = False, [1000, 2000]
    assert _fetch(site, tmp_path, sha256=DIGEST).read_bytes() == BODY


def test_a_file_that_became_shorter_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.breaks = [1000] + [0] * ATTEMPTS
    with pytest.raises(DownloadFailed):
        _fetch(site, tmp_path)
    site.breaks, site.files["/a.tgz"] = [], b"short"
    assert _fetch(site, tmp_path).read_bytes() == b"short"


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    assert _fetch(site, tmp_path).read_bytes() == BODY
    site.requests, site.statuses = [], [403]
    with pytest.raises(DownloadFailed, match="HTTP 403"):
        download(f"{site.url}/a.tgz", tmp_path / "b.tgz", pause=0)
    assert len(site.requests) == 1


def test_wrong_bytes_are_thrown_away(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=DIGEST):
        _fetch(site, tmp_path, sha256="0" * 64)
    assert list((tmp_path / "new").iterdir()) == []


def test_an_unreachable_server_is_told_in_few_words(tmp_path: Path) -> None:
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
