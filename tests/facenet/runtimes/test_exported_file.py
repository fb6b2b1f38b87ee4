import dataclasses
import sys
from pathlib import Path

import pytest

from facenet.atomic import write_text
from facenet.errors import PackageMissing, WeightsInvalid
from facenet.export import EMBEDDER
from facenet.model import CARD, WEIGHTS, ModelCard
from facenet.runtimes import exported_file
from facenet.runtimes.exported_file import exported_embedder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "facenet-pipeline" / "onnx"


def test_a_model_is_exported_once_into_the_users_cache(
    tiny_network: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, card = exported_embedder(tiny_network)
    assert (path.parent, card.network.name) == (cache, "tiny")
    written = path.stat().st_mtime_ns
    for package in ("onnx", "onnxscript", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)  # not needed any more
    assert exported_embedder(tiny_network) == (path, card)
    assert path.stat().st_mtime_ns == written
    (tiny_network / CARD).write_text(dataclasses.replace(card, standardisation="per_image").to_json())
    with pytest.raises(PackageMissing, match="onnx"):  # another file, which must be exported
        exported_embedder(tiny_network)


def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_folder(
    tiny_network: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_file, "write_onnx", lambda graph, path, metadata: write_text(path, "model"))
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    path, _ = exported_embedder(tiny_network)
    assert path.exists()
    assert cache not in path.parents
    assert exported_embedder(tiny_network)[0] == path


def test_an_exported_folder_is_read_where_it_is(exported: Path, cache: Path) -> None:
    path, card = exported_embedder(exported)
    assert path == exported / EMBEDDER
    assert card == ModelCard.read(exported / CARD)
    assert not cache.exists()


def test_weights_of_another_model_are_refused(tiny_network: Path, cache: Path) -> None:
    with (tiny_network / WEIGHTS).open("ab") as file:
        file.write(b"x")
    with pytest.raises(WeightsInvalid, match="belong to different models"):
        exported_embedder(tiny_network)
    assert not cache.exists()
