import hashlib
import os
import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from facenet.errors import DownloadFailed
from tasks.downloads import locate
from tasks.downloads.lookup import MIRRORS, mirrors
from tests.tasks.downloads.conftest import Site

BODY = b"an archive"
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and no mirrors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(MIRRORS, raising=False)
    return tmp_path


def _locate(name: str, **options: object) -> Path:
    return locate(name, downloads=Path("data/downloads"), pause=0, **options)  # type: ignore[arg-type]


def _put(path: str, body: bytes = BODY) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(body)
    return Path(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("/a", ["/a"]),
        ("/a:/b", ["/a", "/b"]),
        ("/a, /b ,", ["/a", "/b"]),
        ("http://h:8080/x", ["http://h:8080/x"]),
        ("/a:http://h:8080/x:y,/b", ["/a", "http://h:8080/x:y", "/b"]),
        ("https://h/x,http://g/y", ["https://h/x", "http://g/y"]),
        ("https://h/x:http://g/y", ["https://h/x", "http://g/y"]),
        ("../shared/data/lfw", ["../shared/data/lfw"]),
    ],
)
@pytest.mark.skipif(os.pathsep != ":", reason="the examples separate folders by colons")
def test_mirrors_are_separated_by_commas_and_folders_by_colons(
    text: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRRORS, text)
    assert mirrors() == expected


def test_places_are_tried_nearest_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files |= {"/mirror/a.tgz": BODY, "/own/a.tgz": BODY}
    monkeypatch.setenv(MIRRORS, f"far,{site.url}/mirror/")
    urls = (f"{site.url}/own/a.tgz",)
    _put("far/a.tgz")
    _put("data/downloads/a.tgz")
    _put("a.tgz")
    for place in (Path("a.tgz"), Path("data/downloads/a.tgz"), Path("far/a.tgz")):
        assert _locate("a.tgz", urls=urls) == place
        place.unlink()
    assert site.requests == []
    assert _locate("a.tgz", urls=urls) == Path("data/downloads/a.tgz")
    assert [path for path, _ in site.requests] == ["/mirror/a.tgz"]
    Path("data/downloads/a.tgz").unlink()
    del site.files["/mirror/a.tgz"]
    assert _locate("a.tgz", urls=urls).read_bytes() == BODY
    assert site.requests[-1][0] == "/own/a.tgz"


def test_what_was_downloaded_is_not_downloaded_again(site: Site) -> None:
    site.files["/a.tgz"] = BODY
    for _ in range(2):
        _locate("a.tgz", urls=(f"{site.url}/a.tgz",), sha256=DIGEST)
    assert len(site.requests) == 1


@pytest.mark.parametrize(("asked", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_in_another_unicode_form_is_found(
    asked: Literal["NFC", "NFD"], stored: Literal["NFC", "NFD"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRRORS, "mirror")
    name = "b\u00e4der/Zo\u00eb.zip"
    other = _put(f"mirror/{unicodedata.normalize(stored, name)}")
    assert _locate(unicodedata.normalize(asked, name)) == other
    exact = _put(unicodedata.normalize(asked, name), b"exact")
    assert _locate(unicodedata.normalize(asked, name)) == exact


def test_a_pipe_is_never_opened() -> None:
    os.mkfifo("a.tgz")
    with pytest.raises(DownloadFailed, match=r"a\.tgz: not a file or folder"):
        _locate("a.tgz", sha256=DIGEST)


def test_without_downloads_only_this_machine_is_searched(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files["/a.tgz"] = BODY
    monkeypatch.setenv(MIRRORS, site.url)
    with pytest.raises(DownloadFailed, match="was not found"):
        _locate("a.tgz", urls=(f"{site.url}/a.tgz",), download=False)
    assert site.requests == []
    assert _locate("a.tgz") == Path("data/downloads/a.tgz")


def test_the_digest_can_be_computed_in_another_way() -> None:
    _put("a.tgz", b"other")
    assert _locate("a.tgz", sha256=DIGEST, digest=lambda _: DIGEST) == Path("a.tgz")


def test_files_with_another_digest_are_skipped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRRORS, "good")
    _put("a.tgz", b"other")
    good = _put("good/a.tgz")
    assert _locate("a.tgz", sha256=DIGEST) == good
    assert _locate("a.tgz") == Path("a.tgz")


def test_names_with_folders_and_blanks_are_found_on_mirrors(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRRORS, site.url)
    site.files["/lists/my%20pairs.txt"] = BODY
    assert _locate("lists/my pairs.txt") == Path("data/downloads/my pairs.txt")


def test_a_directory_is_found_but_has_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("photos").mkdir()
    assert _locate("photos") == Path("photos")
    with pytest.raises(DownloadFailed, match="a folder, which has no sha256"):
        _locate("photos", sha256=DIGEST)


def test_an_absolute_path_is_not_looked_up_on_mirrors(
    site: Site, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRRORS, site.url)
    with pytest.raises(DownloadFailed) as caught:
        _locate(str(workspace / "gone.zip"))
    assert site.requests == []
    assert str(caught.value).count(": not found") == 1


def test_the_message_names_every_place_and_the_next_command(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRRORS, f"far,{site.url}")
    site.files["/own"] = b"other"
    _put("far/a.tgz", b"another")
    with pytest.raises(DownloadFailed) as caught:
        _locate("a.tgz", sha256=DIGEST, urls=(f"{site.url}/own",))
    text = str(caught.value)
    assert "  a.tgz: not found\n" in text
    assert "  data/downloads/a.tgz: not found\n" in text
    assert f"  far/a.tgz: its sha256 is {hashlib.sha256(b'another').hexdigest()}, not {DIGEST}\n" in text
    assert f"  {site.url}/a.tgz: HTTP 404" in text
    assert f"  {site.url}/own: its sha256 is" in text
    assert MIRRORS in text
    assert "dvc repro" in text


def test_official_urls_are_tried_last_and_their_digest_is_required(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.downloads import lookup
    from tasks.downloads.official import Official

    site.files["/pairs.txt"] = BODY
    monkeypatch.setitem(lookup.OFFICIAL, "pairs.txt", Official(DIGEST, (f"{site.url}/pairs.txt",)))
    assert _locate("pairs.txt").read_bytes() == BODY
    _put("data/downloads/pairs.txt", b"my own pairs")
    assert _locate("pairs.txt").read_bytes() == b"my own pairs"
    Path("data/downloads/pairs.txt").unlink()
    monkeypatch.setitem(lookup.OFFICIAL, "pairs.txt", Official("0" * 64, (f"{site.url}/pairs.txt",)))
    with pytest.raises(DownloadFailed, match="its sha256 is"):
        _locate("pairs.txt")
