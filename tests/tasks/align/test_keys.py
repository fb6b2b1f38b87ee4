from dataclasses import replace

import pytest

from facenet.detection import CropSettings, DetectorSettings
from tasks.align import keys
from tasks.align.work import Settings

SETTINGS = Settings(DetectorSettings(), "largest", CropSettings(), "png")


def test_crop_parameters_do_not_change_the_key_of_detections() -> None:
    wider = replace(SETTINGS, crop=CropSettings(margin=30), image_format="jpeg", selection="most_probable")
    assert keys.detection_key(wider, "cpu") == keys.detection_key(SETTINGS, "cpu")
    assert keys.face_key(wider, "cpu") != keys.face_key(SETTINGS, "cpu")


def test_detector_parameters_and_device_change_both_keys() -> None:
    finer = replace(SETTINGS, detector=DetectorSettings(min_face=15))
    for key in (keys.detection_key, keys.face_key):
        assert len({key(SETTINGS, "cpu"), key(finer, "cpu"), key(SETTINGS, "cuda")}) == 3


def test_the_runtime_changes_both_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys.detection_key(SETTINGS, "cpu"), keys.face_key(SETTINGS, "cpu")
    monkeypatch.setattr(keys, "runtime_version", lambda device: "openvino 1.0")
    assert not {keys.detection_key(SETTINGS, "cpu"), keys.face_key(SETTINGS, "cpu")} & set(before)


def test_code_changes_both_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys.detection_key(SETTINGS, "cpu"), keys.face_key(SETTINGS, "cpu")
    monkeypatch.setattr(keys, "code_digest", lambda *_: "another")
    assert not {keys.detection_key(SETTINGS, "cpu"), keys.face_key(SETTINGS, "cpu")} & set(before)


def test_whole_photos_are_kept_apart_from_detections() -> None:
    whole = replace(SETTINGS, crop=CropSettings(method="none"))
    finer = replace(whole, detector=DetectorSettings(min_face=15))
    assert keys.detection_key(whole, "cpu") != keys.detection_key(SETTINGS, "cpu")
    assert keys.detection_key(whole, "cpu") == keys.detection_key(finer, "cpu")
