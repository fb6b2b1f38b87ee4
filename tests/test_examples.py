"""The example runs without torch and this project, and answers as FaceModel does."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from facenet import FaceModel
from facenet.detection import TEMPLATES, CropSettings, crop_face

Photos = list[tuple[str, bytes]]

# Only these, what they need, and the standard library can be imported.
ALONE = """
import runpy, sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
REFUSED = {"torch", "facenet", "tasks", "flows", "onnx", "openvino", "safetensors", "scipy", "sklearn", "cv2"}


@pytest.fixture(scope="module")
def script(root: Path) -> Path:
    return root / "docs" / "examples" / "embed_with_onnx.py"


@pytest.fixture(scope="module")
def example(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("embed_with_onnx", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files(orl_photos: Photos, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two photos of each of three people, enlarged and off the centre of a grey background."""
    folder = tmp_path_factory.mktemp("photos")
    paths = []
    for number in (0, 3, 10, 13, 50, 53):
        path = folder / f"{number}.pgm"
        path.write_bytes(orl_photos[number][1])
        small = Image.open(path)
        canvas = Image.new("RGB", (500, 420), (90, 100, 110))
        canvas.paste(small.resize((276, 336), Image.Resampling.BICUBIC), (150 + number, 40))
        paths.append(folder / f"{number}.png")
        canvas.save(paths[-1])
    return paths


def test_it_answers_as_face_model_does(example: ModuleType, exported: Path, files: list[Path]) -> None:
    ours, theirs = FaceModel.load("pretrained", device="cpu"), example.Model(exported)
    faces = ours.embed(files)
    templates = [theirs.template(path) for path in files]
    for path, face, template in zip(files, faces, templates, strict=True):
        assert face.template @ template > 0.99995
        with Image.open(path) as image:
            found = theirs.detector.faces(image.convert("RGB"))
        detected = ours.detect([path])[0]
        assert len(found) == len(detected) > 0
        for other, expected in zip(found, detected, strict=True):
            assert np.allclose(other.box, expected.box, atol=0.01)
            assert np.allclose(other.landmarks, expected.landmarks, atol=0.01)
            assert abs(other.probability - expected.probability) < 1e-4
    for a, b in ((0, 1), (0, 2), (3, 4)):
        expected = ours.verify(files[a], files[b]).distance
        assert abs(theirs.distance(templates[a], templates[b]) - expected) < 5e-4


def test_it_runs_without_torch_and_without_this_project(
    script: Path, exported: Path, files: list[Path]
) -> None:
    ours = FaceModel.load("pretrained", device="cpu")
    command = [sys.executable, "-c", ALONE.replace("{refused}", repr(REFUSED)), str(script), str(exported)]
    for other in (files[1], files[4]):
        done = subprocess.run(
            [*command, str(files[0]), str(other)], capture_output=True, text=True, cwd=exported.parent
        )
        assert done.returncode == 0, done.stderr
        expected = ours.verify(files[0], other)
        assert done.stdout.startswith("same person" if expected.match else "different people")
        distance = float(done.stdout.partition("distance ")[2].partition(",")[0])
        assert abs(distance - expected.distance) < 5e-4


@pytest.mark.parametrize("method", ["crop", "similarity"])
@pytest.mark.parametrize(("margin", "margin_in"), [(0, "source"), (22, "source"), (22, "output")])
def test_every_alignment_is_that_of_the_pipeline(
    example: ModuleType, method: str, margin: int, margin_in: str
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    corner, size = np.array([340.0, -5.0], np.float32), 80  # partly outside
    template = TEMPLATES["arcface"]
    landmarks = np.array(template.points, np.float32) * (size / template.side) + corner
    box = np.array([*corner, *corner + size], np.float32)
    settings = CropSettings(method, 112, margin, margin_in, "arcface")
    align = {
        "method": method,
        "image_size": 112,
        "margin": margin,
        "margin_in": margin_in,
        "template": {"side": template.side, "points": template.points},
    }
    found = example.cut_out(Image.fromarray(pixels), example.Face(box, landmarks, 1.0), align)
    assert np.array_equal(np.asarray(found), crop_face(pixels, box, landmarks, settings))


@pytest.mark.parametrize(
    ("flip", "metric", "mean"),
    [
        ("none", "cosine", None),
        ("concatenate", "euclidean_squared", None),
        ("concatenate", "arccos", True),
        ("add", "cosine", True),
        ("mean", "cosine", None),
    ],
)
def test_every_representation_is_that_of_the_evaluation(
    example: ModuleType, flip: str, metric: str, mean: bool | None
) -> None:
    from tests.facenet.test_matching import matcher

    random = np.random.default_rng(0)
    width = 2 if flip != "concatenate" else 4
    calibrated = matcher(flip=flip, metric=metric, mean=tuple(random.normal(size=width)) if mean else None)
    embedded = {0: random.normal(size=2), 255: random.normal(size=2)}  # by the first pixel of a crop
    model = object.__new__(example.Model)
    model.embedder = lambda crops: [np.array([embedded[int(crop[0, 0, 0])] for crop in crops], np.float32)]
    model.settings = {
        "image_size": 3,
        "flip": flip,
        "metric": metric,
        "calibration": {"mean": calibrated.mean and list(calibrated.mean)},
    }
    face = np.zeros((5, 5, 3), np.uint8)
    face[:, 3] = 255
    found = model.embed(face)
    rows = np.array([embedded[0]], np.float32), np.array([embedded[255]], np.float32)
    expected = calibrated.templates(rows[0], None if flip == "none" else rows[1])[0]
    assert np.allclose(found, expected, atol=1e-6)
    other = calibrated.templates(rows[1], None if flip == "none" else rows[0])[0]
    distance = calibrated.template_distances(expected[None], other[None])[0, 0]
    assert abs(model.distance(found, other.astype(np.float64)) - distance) < 1e-3


def test_what_cannot_be_answered_is_named(
    example: ModuleType, exported: Path, tmp_path: Path, files: list[Path]
) -> None:
    Image.new("RGB", (100, 100)).save(tmp_path / "black.png")
    with pytest.raises(SystemExit, match=r"black\.png: no face was found"):
        example.Model(exported).template(tmp_path / "black.png")
