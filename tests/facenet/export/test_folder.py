import json
import shutil
from pathlib import Path

import onnx
import pytest

from facenet import pretrained
from facenet.digests import file_digest
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.export import DETECTORS, EMBEDDER, export
from facenet.export import folder as module
from facenet.model import CALIBRATION, CARD, DETECTOR, MONITORING, WEIGHTS, ModelCard
from facenet.site_calibration.calibration import SITE_FILE
from tests.facenet.test_matching import matcher


def test_an_exported_folder_is_complete(exported: Path) -> None:
    source = pretrained.folder()
    names = {path.name for path in exported.iterdir()}
    assert names == {EMBEDDER, *DETECTORS, DETECTOR, CALIBRATION, MONITORING, CARD}
    for name in (DETECTOR, CALIBRATION, MONITORING, CARD):
        assert (exported / name).read_bytes() == (source / name).read_bytes()
    model = onnx.load(exported / EMBEDDER)
    metadata = {prop.key: json.loads(prop.value) for prop in model.metadata_props}
    assert metadata["weights_sha256"] == file_digest(source / WEIGHTS)
    detector = onnx.load(exported / DETECTORS[0])
    metadata = {prop.key: json.loads(prop.value) for prop in detector.metadata_props}
    assert metadata["weights_sha256"] == file_digest(exported / DETECTOR)


def test_another_export_into_the_folder_replaces_everything(tiny_network: Path, tmp_path: Path) -> None:
    calibration(tiny_network, file_digest(tiny_network / WEIGHTS))
    out = tmp_path / "out"
    out.mkdir()
    for name in (EMBEDDER, *DETECTORS, DETECTOR, CALIBRATION, MONITORING, SITE_FILE, CARD, "notes.txt"):
        (out / name).write_text("older")
    assert export(tiny_network, out) == [out / EMBEDDER, out / CALIBRATION, out / CARD]
    assert sorted(path.name for path in out.iterdir()) == sorted([EMBEDDER, CALIBRATION, CARD, "notes.txt"])
    for name in (CALIBRATION, CARD):
        assert (out / name).read_bytes() == (tiny_network / name).read_bytes()
    onnx.checker.check_model(str(out / EMBEDDER))
    (tiny_network / SITE_FILE).write_text("a site calibration")
    assert out / SITE_FILE in export(tiny_network, out)
    assert (out / SITE_FILE).read_text() == "a site calibration"


def test_the_calibration_must_belong_to_the_model(tiny_network: Path, tmp_path: Path) -> None:
    calibration(tiny_network, "0" * 64)
    with pytest.raises(WeightsInvalid, match="belongs to weights"):
        export(tiny_network, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def calibration(folder: Path, weights_sha256: str) -> None:
    matcher(weights_sha256=weights_sha256).write(folder / CALIBRATION)


def test_a_workspace_without_detector_file_uses_the_package(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = ModelCard.read(exported / CARD)
    written: list[Path] = []
    monkeypatch.setattr(module, "write_onnx", lambda graph, path, metadata: written.append(path))
    module._export_detector(tmp_path / DETECTOR, card, tmp_path / "out")
    assert [path.name for path in written] == [*DETECTORS]
    assert file_digest(tmp_path / "out" / DETECTOR) == file_digest(exported / DETECTOR)


def test_the_folder_of_the_model_is_refused(tmp_path: Path) -> None:
    source = shutil.copytree(pretrained.folder(), tmp_path / "model")
    with pytest.raises(ParamsInvalid, match="another folder"):
        export(source, tmp_path / "x" / ".." / "model")
