"""FaceModel answers as the pipeline evaluates, for every kind of photo, from any number of threads."""

import io
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facenet import networks
from facenet.detection import MTCNN, CropSettings, DetectorSettings, FaceAligner, fallback_box
from facenet.embedder import Embedder
from facenet.errors import ImageRejected, WeightsInvalid
from facenet.evaluation.distances import combine_flips, pair_distances
from facenet.face_model import FaceModel
from facenet.images import decode, encode
from facenet.matching import Matcher, Threshold
from facenet.model import ModelCard, load_model, save_model
from facenet.model_folder import CALIBRATION, CARD, WEIGHTS, save_detector
from facenet.results import Face, PhotoError
from tests.calibration import calibration

Photos = list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluated model with flips and mean, as register stores it."""
    folder = tmp_path_factory.mktemp("model")
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    save_detector(folder)
    matcher().write(folder / CALIBRATION)
    card = ModelCard.read(folder / CARD)
    matcher(weights_sha256=card.weights_sha256).write(folder / CALIBRATION)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> FaceModel:
    return FaceModel.load(folder, device="cpu")


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Callable[..., FaceModel]:
    """Load the model with changes of its card and calibration."""

    def load(card: dict[str, Any] | None = None, **measured: Any) -> FaceModel:
        shutil.copytree(folder, tmp_path / "changed")
        written = json.loads((folder / CARD).read_text())
        (tmp_path / "changed" / CARD).write_text(json.dumps(written | (card or {})))
        found = replace(Matcher.read(folder / CALIBRATION), **measured)
        found.write(tmp_path / "changed" / CALIBRATION)
        return FaceModel.load(tmp_path / "changed", device="cpu")

    return load


def matcher(**fields: Any) -> Matcher:
    given: dict[str, Any] = {
        "metric": "cosine",
        "mean": tuple(np.linspace(-0.05, 0.05, 256)),
        "slope": 8.0,
        "intercept": 4.0,
        "threshold": 0.5,
        "thresholds": (Threshold(0.01, 0.25, True), Threshold(0.001, 0.1, False)),
        "people": 100,
        "people_pairs": 4000,
    }
    return calibration(**given | fields)


def as_jpeg(pgm: bytes, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(pgm)).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def stored(folder: Path, photos: list[bytes], image_format: str = "png") -> np.ndarray:
    """The faces of photos as align stores them."""
    align = ModelCard.read(folder / CARD).align
    detector = MTCNN(
        DetectorSettings(align["min_face"], tuple(align["thresholds"]), align["factor"], align["max_side"])
    )
    crop = CropSettings(align["method"], align["image_size"], align["margin"], align["margin_in"])
    faces = FaceAligner(detector, align["selection"], crop).align([decode(photo) for photo in photos])
    return np.stack([decode(encode(face.image, image_format)) for face in faces])


def evaluated(folder: Path, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The embeddings of stored faces and of their mirror images as evaluate computes them."""
    network, card = load_model(folder / WEIGHTS, folder / CARD)
    size, kind = card.network.image_size, card.standardisation
    embedder = Embedder(network, image_size=size, batch_size=64, standardisation=kind)
    return embedder.embed(faces), embedder.embed_flipped(faces)


def embeddings(model: FaceModel, photos: list[bytes]) -> np.ndarray:
    faces = model.embed(photos)
    assert all(isinstance(face, Face) for face in faces)
    return np.stack([face.embedding for face in faces])  # type: ignore[union-attr, misc]


def test_embeddings_and_distances_are_those_of_the_evaluation(
    folder: Path, model: FaceModel, orl_photos: Photos
) -> None:
    photos = [as_jpeg(pgm) for _, pgm in orl_photos[:60:10]]
    plain, flipped = evaluated(folder, stored(folder, photos))
    np.testing.assert_allclose(embeddings(model, photos), plain, atol=1e-5)
    rows = combine_flips(plain, flipped, "concatenate")
    left, right = np.triu_indices(len(photos), 1)
    assert model.matcher is not None
    expected = pair_distances(rows, left, right, "cosine", np.array([model.matcher.mean]))[0]
    found = model.compare([(photos[a], photos[b]) for a, b in zip(left, right, strict=True)])
    np.testing.assert_allclose([each.distance for each in found], expected, atol=1e-5)
    assert np.ptp(expected) > 1e-3
    for far, threshold in ((None, 0.5), (0.01, 0.25)):
        for each, distance in zip(
            model.compare([(photos[0], photo) for photo in photos[1:]], far=far), expected, strict=False
        ):
            assert (each.threshold, each.match) == (threshold, distance < threshold)
            odds = np.exp(4 - 8 * distance)
            assert each.probability == pytest.approx(odds / (1 + odds), abs=1e-4)


def test_templates_compare_as_verify_does(model: FaceModel, orl_photos: Photos) -> None:
    photos = [pgm for _, pgm in orl_photos[:40:10]]
    rows = np.stack([face.template for face in model.embed(photos)])  # type: ignore[union-attr, misc]
    assert rows.dtype == np.float32
    assert rows.shape == (4, model.template_size)
    assert model.matcher is not None
    distances = model.matcher.template_distances(rows, rows)
    for row, photo in enumerate(photos):
        assert distances[0, row] == pytest.approx(model.verify(photos[0], photo).distance, abs=1e-6)


def test_every_form_of_a_photo_gives_the_same_face(
    model: FaceModel, orl_photos: Photos, tmp_path: Path
) -> None:
    turned = Image.open(io.BytesIO(orl_photos[3][1])).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    buffer = io.BytesIO()
    turned.save(buffer, "PNG", exif=exif)
    path = tmp_path / "phöto.png"
    path.write_bytes(buffer.getvalue())
    array = decode(buffer.getvalue())
    forms = [path, str(path), buffer.getvalue(), Image.open(path), array, Image.fromarray(array).convert("L")]
    first, *others = (face.to_dict() for face in model.embed(forms) if isinstance(face, Face))
    assert first["landmarks"][0][1] < first["landmarks"][2][1]
    assert [other == first for other in others] == [True] * 5


def test_a_photo_that_cannot_be_used_is_an_error_and_the_others_are_unaffected(
    model: FaceModel, orl_photos: Photos, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    first, second = orl_photos[0][1], orl_photos[15][1]
    found = model.embed([b"", first, tmp_path / "missing.jpg", second, b"GIF but not", noise])
    reasons = [face.reason if isinstance(face, PhotoError) else None for face in found]
    assert reasons == ["empty", None, "unreadable", None, "unsupported", "no_face"]
    alone = model.embed([first, second])
    for together, face in zip(found[1:4:2], alone, strict=True):
        assert isinstance(together, Face)
        assert isinstance(face, Face)
        assert together.to_dict() == face.to_dict()
    (centre,) = model.embed([noise], fallback=True)
    assert isinstance(centre, Face)
    assert (centre.fallback, centre.faces_found, centre.probability, centre.landmarks) == (True, 0, 0, None)
    assert centre.box == tuple(fallback_box(120, 90).tolist())
    assert model.embed([]) == []
    with pytest.raises(TypeError, match=r"\(90, 120\) uint8"):
        model.embed([first, noise[..., 0]])


def test_all_faces_of_a_photo_are_found_with_template_and_quality(
    model: FaceModel, orl_photos: Photos
) -> None:
    one, two = (np.asarray(Image.open(io.BytesIO(orl_photos[row][1])).convert("RGB")) for row in (0, 25))
    both = np.concatenate([one, two], axis=1)
    faces = model.faces(both)
    assert len(faces) == 2
    assert {face.faces_found for face in faces} == {2}
    detected, error = model.detect([both, b""])
    assert isinstance(detected, list)
    assert [face.box for face in detected] == [face.box for face in faces]
    assert all(face.template is face.quality is None for face in detected)
    assert error == PhotoError("empty", "The file has no bytes.")
    left, right = sorted(faces, key=lambda face: face.box[0])
    assert left.box[2] < right.box[2]
    assert model.matcher is not None
    for face, photo in ((left, one), (right, two)):
        (alone,) = model.embed([photo])
        assert isinstance(alone, Face)
        assert model.matcher.template_distances([face.template], [alone.template])[0, 0] < 0.05
        assert face.quality is not None
        assert face.quality.side == pytest.approx(min(face.box[2] - face.box[0], face.box[3] - face.box[1]))
        assert face.quality.sharpness > 10
    assert model.faces(np.full((80, 80, 3), 9, np.uint8)) == []
    with pytest.raises(ImageRejected, match="no bytes"):
        model.faces(b"")
    mixed = model.faces_of([b"", both, one])
    assert [len(each) if isinstance(each, list) else each.reason for each in mixed] == ["empty", 2, 1]


def test_threads_get_the_answers_of_one(model: FaceModel, orl_photos: Photos) -> None:
    pairs = [(orl_photos[row][1], orl_photos[(7 * row) % 40][1]) for row in range(6)]
    expected = [model.verify(*pair).to_dict(vectors=True) for pair in pairs]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda pair: model.verify(*pair).to_dict(vectors=True), pairs))
    assert found == expected


def test_each_distinct_photo_is_embedded_once(
    model: FaceModel, orl_photos: Photos, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, path = orl_photos[0][1], tmp_path / "1.pgm"
    path.write_bytes(orl_photos[1][1])
    image = Image.open(io.BytesIO(orl_photos[10][1]))
    seen: list[int] = []
    embed = FaceModel.embed
    monkeypatch.setattr(
        FaceModel, "embed", lambda self, photos: (seen.append(len(photos)), embed(self, photos))[1]
    )
    found = model.compare(
        [(first, path), (path, image), (bytes(bytearray(first)), str(path)), (first, first)]
    )
    assert seen == [3]
    assert found[0].distance == found[2].distance
    assert found[3].distance == pytest.approx(0, abs=1e-12)
    assert found[3].match
    assert model.compare([]) == []


def test_what_has_no_face_never_matches(model: FaceModel, orl_photos: Photos) -> None:
    wall = np.full((120, 120, 3), 200, np.uint8)
    found = model.compare([(wall, wall), (orl_photos[0][1], b"no photo"), (b"", wall)])
    assert [(each.match, each.distance, each.probability) for each in found] == [(False, None, None)] * 3
    assert found[0].error == (
        "no_face: no face was found (left photo); no_face: no face was found (right photo)"
    )
    assert (found[0].left, found[1].right) == (None, None)
    assert found[1].left is not None
    assert found[1].error is not None
    assert found[1].error.startswith("unsupported: ")
    assert found[1].error.endswith("(right photo)")


def test_what_the_calibration_does_not_have_is_refused_before_any_work(model: FaceModel) -> None:
    with pytest.raises(ValueError, match="only at"):
        model.verify(b"", b"", far=0.5)
    unsure = model.verify(b"", b"", far=0.001)
    assert not unsure.supported
    assert unsure.reason is not None


def test_a_model_that_was_not_evaluated_embeds_but_cannot_decide(
    tiny_model: Path, orl_photos: Photos
) -> None:
    """Without mtcnn.safetensors, as in a workspace, the detector comes from the package."""
    model = FaceModel.load(tiny_model, device="cpu")
    (face,) = model.embed([orl_photos[0][1]])
    assert isinstance(face, Face)
    assert (face.template, model.template_size, model.matcher) == (None, 0, None)
    assert face.embedding is not None
    with pytest.raises(WeightsInvalid, match="dvc repro evaluate"):
        model.verify(b"", b"")


def test_faces_are_standardised_as_the_card_says(
    changed: Callable[..., FaceModel], model: FaceModel, tmp_path: Path, orl_photos: Photos
) -> None:
    photos = [as_jpeg(orl_photos[0][1])]
    found = embeddings(changed({"standardisation": "per_image"}), photos)
    faces = stored(tmp_path / "changed", photos)
    np.testing.assert_allclose(found, evaluated(tmp_path / "changed", faces)[0], atol=1e-5)
    assert np.abs(found - embeddings(model, photos)).max() > 1e-3


def test_faces_stored_as_jpeg_are_compressed(
    changed: Callable[..., FaceModel], model: FaceModel, folder: Path, orl_photos: Photos
) -> None:
    photos = [orl_photos[0][1]]
    found = embeddings(changed({"align": {**model.card.align, "image_format": "jpeg"}}), photos)
    np.testing.assert_allclose(found, evaluated(folder, stored(folder, photos, "jpeg"))[0], atol=1e-5)
    assert np.abs(found - embeddings(model, photos)).max() > 1e-4


def test_a_model_of_whole_photos_needs_no_detection(
    changed: Callable[..., FaceModel], model: FaceModel, folder: Path, orl_photos: Photos
) -> None:
    align = {**model.card.align, "method": "none", "margin": 0}
    whole = changed({"align": align, "standardisation": "none"})
    (face,) = whole.embed([orl_photos[0][1]])
    assert isinstance(face, Face)
    assert (face.faces_found, face.fallback, face.landmarks) == (1, False, None)
    assert face.box == (0, 10, 92, 102)
    side = align["image_size"]
    photo = Image.fromarray(decode(orl_photos[0][1])[10:102]).resize((side, side), Image.Resampling.BILINEAR)
    network, card = load_model(folder / WEIGHTS, folder / CARD)
    embedder = Embedder(network, image_size=card.network.image_size, standardisation="none", batch_size=1)
    assert np.allclose(face.embedding, embedder.embed(np.asarray(photo)[None])[0], atol=1e-5)
    assert len(whole.faces(orl_photos[0][1])) == 1


def test_raw_embeddings_keep_their_length(folder: Path, tmp_path: Path, orl_photos: Photos) -> None:
    """Embeddings of variant `siamese` have any length, in the pipeline and here."""
    card = ModelCard.read(folder / CARD)
    raw = replace(
        card, network=replace(card.network, name="densenet121", variant="siamese", embedding_size=16)
    )
    network = networks.build("densenet121", embedding_size=16, variant="siamese")
    raw = save_model(network, raw, weights=tmp_path / WEIGHTS, card_path=tmp_path / CARD)
    kept = {"metric": "euclidean_squared", "flip": "none", "mean": None}
    matcher(weights_sha256=raw.weights_sha256, **kept).write(tmp_path / CALIBRATION)
    model, photos = FaceModel.load(tmp_path, device="cpu"), [orl_photos[0][1], orl_photos[10][1]]
    plain, _ = evaluated(tmp_path, stored(tmp_path, photos))
    np.testing.assert_allclose(embeddings(model, photos), plain, rtol=1e-3, atol=1e-4)
    assert abs(np.linalg.norm(plain[0]) - 1) > 0.01
    distance = float(np.square(plain[0].astype(float) - plain[1]).sum())
    assert model.verify(*photos).distance == pytest.approx(distance, rel=1e-3)


def test_a_photo_with_too_many_faces_is_an_error(model: FaceModel, orl_photos: Photos) -> None:
    one, other = (np.asarray(Image.open(io.BytesIO(orl_photos[n][1])).convert("RGB")) for n in (0, 25))
    photos = [np.concatenate([one, other], axis=1), one]
    both, alone = model.faces_of(photos, max_faces=1)
    assert both == PhotoError("too_many_faces", "2 faces, more than 1")
    assert isinstance(alone, list)
    assert [len(faces) for faces in model.faces_of(photos, max_faces=2) if isinstance(faces, list)] == [2, 1]


def test_many_photos_and_large_ones_come_in_groups(
    folder: Path, model: FaceModel, orl_photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [orl_photos[row][1] for row in (0, 10, 20, 30)]
    small = FaceModel.load(folder, device="cpu", batch_size=1)
    expected = embeddings(model, photos)
    np.testing.assert_allclose(embeddings(small, photos), expected, atol=1e-5)
    monkeypatch.setattr("facenet.photos.GROUP_PIXELS", 2 * 92 * 112)
    assert [len(group) for group in model._groups(photos)] == [2, 2]
    np.testing.assert_allclose(embeddings(model, photos), expected, atol=1e-5)


def test_a_photo_above_the_limit_is_rejected(folder: Path, orl_photos: Photos) -> None:
    small = FaceModel.load(folder, device="cpu", max_pixels=100)
    (error,) = small.embed([orl_photos[0][1]])
    assert isinstance(error, PhotoError)
    assert error.reason == "too_large"


def test_the_digest_changes_with_what_changes_templates(
    changed: Callable[..., FaceModel], model: FaceModel
) -> None:
    assert len(model.digest) == 64
    assert changed(threshold=0.4, slope=2.0).digest == model.digest
    assert repr(model).startswith("FaceModel(")


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_other_runtimes_answer_as_torch(exported: Path, orl_photos: Photos, runtime: str) -> None:
    photos = [data for _, data in orl_photos[:40:8]]
    torch_model = FaceModel.load("pretrained", device="cpu")
    other = FaceModel.load(exported, runtime=runtime, batch_size=8)
    assert (other.digest, other.template_size) == (torch_model.digest, torch_model.template_size)
    expected, found = embeddings(torch_model, photos), embeddings(other, photos)
    cosines = (expected * found).sum(1) / np.linalg.norm(expected, axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > 0.999999
    assert [str(face) for face in other.embed(photos)] == [str(face) for face in torch_model.embed(photos)]
