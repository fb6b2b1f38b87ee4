"""A model folder is complete and its files belong together, or the error says what is wrong."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from facenet.detection import load_mtcnn_weights
from facenet.embedder import Embedder
from facenet.errors import ExportFailed, ParamsInvalid, WeightsInvalid
from facenet.model import ModelCard
from facenet.model_folder import (
    CALIBRATION,
    CARD,
    DETECTOR,
    WEIGHTS,
    load_parts,
    model_digest,
    save_detector,
    template_size,
)
from facenet.runtimes import GraphEmbedder
from tests.facenet.site_calibration.test_calibration import site_calibration
from tests.facenet.test_matching import matcher


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_the_saved_detector_is_the_trained_one(folder: Path) -> None:
    saved, trained = load_file(save_detector(folder)), load_mtcnn_weights()
    assert saved.keys() == trained.keys()
    assert all(bool((saved[name] == trained[name]).all()) for name in trained)


def test_a_damaged_detector_raises(folder: Path) -> None:
    (folder / DETECTOR).write_bytes(b"half a file")
    with pytest.raises(
        WeightsInvalid, match=r"mtcnn.safetensors is not a valid detector.*save_mtcnn_weights"
    ):
        load_parts(folder, device="cpu", batch_size=1)


def test_files_of_different_models_raise(folder: Path) -> None:
    matcher(weights_sha256="f" * 64).write(folder / CALIBRATION)
    with pytest.raises(WeightsInvalid, match="belongs to weights ffffffffffff"):
        load_parts(folder, device="cpu", batch_size=1)
    (folder / CALIBRATION).unlink()
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsInvalid, match="sha256"):
        load_parts(folder, device="cpu", batch_size=1)


def test_a_site_calibration_needs_an_evaluated_model(folder: Path) -> None:
    site = folder / "site.json"
    site_calibration().write(site)
    with pytest.raises(WeightsInvalid, match="site calibration 'office' needs a model that was evaluated"):
        load_parts(folder, device="cpu", batch_size=1, site=site)
    with pytest.raises(WeightsInvalid, match=r"nowhere\.json is not a valid site calibration"):
        load_parts(folder, device="cpu", batch_size=1, site=folder / "nowhere.json")


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(WeightsInvalid, match=r"no folder .*nowhere"):
        load_parts(folder / "nowhere", device="cpu", batch_size=1)
    with pytest.raises(ParamsInvalid, match="cuda:99"):
        load_parts(folder, device="cuda:99", batch_size=1)
    (folder / WEIGHTS).unlink()
    with pytest.raises(WeightsInvalid, match=f"no .*{WEIGHTS}"):
        load_parts(folder, device="cpu", batch_size=1)


def test_the_digest_covers_all_that_determines_a_template(tiny_model: Path) -> None:
    card, calibration = ModelCard.read(tiny_model / CARD), matcher()
    same = [
        (replace(card, commit="f" * 40, precision="bf16"), calibration),
        (card, replace(calibration, threshold=0.1, slope=1.0)),
    ]
    other = [
        (card, None),
        (card, replace(calibration, metric="arccos")),
        (card, replace(calibration, flip="none")),
        (card, replace(calibration, mean=None)),
        (replace(card, weights_sha256="e" * 64), calibration),
        (replace(card, standardisation="none"), calibration),
        (replace(card, align={**card.align, "margin": 3}), calibration),
        (replace(card, network=replace(card.network, image_size=95)), calibration),
    ]
    digest = model_digest(card, calibration)
    assert {model_digest(*each) for each in same} == {digest}
    assert len({digest, *(model_digest(*each) for each in other)}) == 1 + len(other)


def test_the_size_of_templates_is_that_of_the_combined_flips(tiny_model: Path) -> None:
    card = ModelCard.read(tiny_model / CARD)
    assert template_size(card, matcher(flip="concatenate")) == 256
    assert template_size(card, matcher(flip="add")) == template_size(card, matcher(flip="none")) == 128
    assert template_size(card, None) == 0


def test_the_precision_is_the_evaluated_one(folder: Path) -> None:
    sha256 = ModelCard.read(folder / CARD).weights_sha256
    for precision, used in (("bf16", "bf16"), (None, "fp32")):
        matcher(weights_sha256=sha256, precision=precision).write(folder / CALIBRATION)
        assert load_parts(folder, device="cpu", batch_size=1).embedder.precision == used


def test_an_exported_folder_needs_a_runtime_for_it(exported: Path) -> None:
    with pytest.raises(WeightsInvalid, match=r"exported model\. Load it with the runtime onnx or openvino"):
        load_parts(exported, device="auto", batch_size=1)
    parts = load_parts(exported, device="auto", batch_size=8, runtime="onnx")
    assert (parts.embedder.precision, parts.embedder.adaptive, parts.embedder.batch_size) == ("fp32", True, 8)


def test_runtimes_for_the_cpu_refuse_other_devices(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facenet.model_folder.resolve_device", torch.device)
    with pytest.raises(ParamsInvalid, match="openvino computes on the CPU, not on cuda"):
        load_parts(exported, device="cuda", batch_size=1, runtime="openvino")


def test_auto_uses_openvino_and_torch_if_the_network_cannot_be_exported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ExportFailed("layer 3 differs")

    parts = load_parts(folder, device="auto", batch_size=8, runtime="auto")
    assert isinstance(parts.embedder, GraphEmbedder)
    monkeypatch.setattr("facenet.runtimes.exported_file.embedding_graph", broken)
    monkeypatch.setattr("facenet.runtimes.exported_file.user_cache", lambda: folder / "cache")
    parts = load_parts(folder, device="auto", batch_size=8, runtime="auto")
    assert isinstance(parts.embedder, Embedder)
    assert "Embedding with torch instead of OpenVINO: layer 3 differs" in caplog.text


def test_auto_keeps_the_precision_of_the_evaluation(folder: Path) -> None:
    sha256 = ModelCard.read(folder / CARD).weights_sha256
    matcher(weights_sha256=sha256, precision="bf16").write(folder / CALIBRATION)
    assert load_parts(folder, device="cpu", batch_size=1, runtime="auto").embedder.precision == "bf16"
