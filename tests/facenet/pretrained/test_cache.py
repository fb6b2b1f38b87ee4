import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from safetensors.torch import load_file

from facenet import pretrained
from facenet.detection import load_mtcnn_weights
from facenet.model import load_model
from facenet.networks.dlib_file import packaged_dlib_file
from facenet.networks.dlib_weights import read_dlib_weights


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_folder_holds_dlibs_network_and_the_detector(cache: Path) -> None:
    folder = pretrained.folder()
    assert folder.parent == cache / "facenet-pipeline"
    network, card = load_model(folder / "facenet.safetensors", folder / "model.json")
    assert card.origin["licence"].startswith("CC0")
    expected = read_dlib_weights(packaged_dlib_file())
    state = network.state_dict()
    assert state.keys() == expected.keys()
    assert all((state[name] == value).all() for name, value in expected.items())
    detector = load_file(folder / "mtcnn.safetensors")
    assert all((detector[name] == value).all() for name, value in load_mtcnn_weights().items())


def test_it_is_written_once_and_again_after_damage(cache: Path) -> None:
    folder = pretrained.folder()
    weights = folder / "facenet.safetensors"
    before = weights.stat()
    assert pretrained.folder() == folder
    assert weights.stat().st_mtime_ns == before.st_mtime_ns
    content = weights.read_bytes()
    for damage in (lambda: weights.write_bytes(content[:-1]), weights.unlink, (folder / "sha256").unlink):
        damage()
        assert pretrained.folder() == folder
        assert weights.read_bytes() == content
    assert list(folder.parent.iterdir()) == [folder]


def test_concurrent_first_uses_agree(cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: pretrained.folder(), range(4)))
    (folder,) = folders
    assert list(folder.parent.iterdir()) == [folder]
    load_model(folder / "facenet.safetensors", folder / "model.json")


def test_without_a_writable_cache_it_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "facenet-pipeline").write_text("in the way")
    code = "from facenet.pretrained import folder; print(f := folder(), *sorted(p.name for p in f.iterdir()))"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    folder, *names = done.stdout.split()
    assert {"facenet.safetensors", "model.json", "mtcnn.safetensors"} <= set(names)
    assert folder.startswith(str(tmp_path / "facenet-pretrained-"))
    assert [path.name for path in tmp_path.iterdir()] == ["facenet-pipeline"]


def test_a_relative_cache_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pretrained.folder().parent == tmp_path / ".cache" / "facenet-pipeline"
