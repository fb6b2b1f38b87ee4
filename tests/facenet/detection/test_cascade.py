"""The detector against a slow, literal NumPy oracle that loops over levels, cells and boxes of one image."""

import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from facenet.detection import MTCNN, DetectorSettings, Faces, load_mtcnn_weights
from facenet.detection import cascade as module
from facenet.detection.runtimes import RuntimeName
from facenet.errors import ParamsInvalid

Weights = dict[str, np.ndarray]
RUNTIMES: tuple[RuntimeName, RuntimeName] = ("torch", "openvino")


def convolve(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    """Valid convolution of (C, H, W), with bias."""
    kernel, bias = w[f"{name}.weight"], w[f"{name}.bias"]
    size = kernel.shape[2]
    height, width = x.shape[1] - size + 1, x.shape[2] - size + 1
    out = np.zeros((len(kernel), height, width)) + bias[:, None, None]
    for dy in range(size):
        for dx in range(size):
            out += np.tensordot(kernel[:, :, dy, dx], x[:, dy : dy + height, dx : dx + width], 1)
    return out


def prelu(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    slope = w[f"{name}.weight"].reshape(-1, *[1] * (x.ndim - 1))
    return np.where(x > 0, x, slope * x)


def pool(x: np.ndarray, kernel: int) -> np.ndarray:
    rows, columns = (math.ceil((side - kernel) / 2) + 1 for side in x.shape[1:])
    cells = [
        [x[:, 2 * i : 2 * i + kernel, 2 * j : 2 * j + kernel].max((1, 2)) for j in range(columns)]
        for i in range(rows)
    ]
    return np.array(cells).transpose(2, 0, 1)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(0))
    return (e / e.sum(0))[1]


def run_network(x: np.ndarray, w: Weights, name: str) -> tuple[np.ndarray, ...]:
    """R-Net or O-Net with pooling after the first layers; dense layers take inputs in the order W, H, C."""
    pools = {"rnet": (3, 3, 0), "onet": (3, 3, 2, 0)}[name]
    for number, kernel in enumerate(pools, 1):
        x = prelu(convolve(x, w, f"{name}.conv{number}"), w, f"{name}.prelu{number}")
        x = pool(x, kernel) if kernel else x
    number = len(pools) + 1
    x = w[f"{name}.dense{number}.weight"] @ x.transpose(2, 1, 0).reshape(-1) + w[f"{name}.dense{number}.bias"]
    x = prelu(x, w, f"{name}.prelu{number}")
    heads = ("score", "box", "landmarks")[: 2 if name == "rnet" else 3]
    score, *others = (w[f"{name}.{head}.weight"] @ x + w[f"{name}.{head}.bias"] for head in heads)
    return (softmax(score), *others)


def area(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Means of (H, W, 3) over cells, mtcnn_input, as (3, height, width)."""
    out = np.zeros((3, height, width))
    for i in range(height):
        for j in range(width):
            top, bottom = i * pixels.shape[0] // height, math.ceil((i + 1) * pixels.shape[0] / height)
            left, right = j * pixels.shape[1] // width, math.ceil((j + 1) * pixels.shape[1] / width)
            out[:, i, j] = pixels[top:bottom, left:right].mean((0, 1))
    return (out - 127.5) / 128


def suppress(boxes: list[Any], threshold: float, overlap: str) -> list[Any]:
    """Greedy suppression of (x0, y0, x1, y1, score, ...)."""
    kept: list[Any] = []
    extra = overlap == "min"
    for b in sorted(boxes, key=lambda b: -b[4]):
        for k in kept:
            w, h = min(b[2], k[2]) - max(b[0], k[0]) + extra, min(b[3], k[3]) - max(b[1], k[1]) + extra
            shared = max(w, 0) * max(h, 0)
            a, c = ((x[2] - x[0] + extra) * (x[3] - x[1] + extra) for x in (b, k))
            if shared / (min(a, c) if overlap == "min" else a + c - shared) > threshold:
                break
        else:
            kept.append(b)
    return kept


def square(b: Any) -> list[float]:
    w, h = b[2] - b[0], b[3] - b[1]
    side = max(w, h)
    x, y = b[0] + w / 2 - side / 2, b[1] + h / 2 - side / 2
    return [x, y, x + side, y + side]


def moved(b: Any, offsets: np.ndarray, extra: int) -> list[float]:
    w, h = b[2] - b[0] + extra, b[3] - b[1] + extra
    return [b[0] + offsets[0] * w, b[1] + offsets[1] * h, b[2] + offsets[2] * w, b[3] + offsets[3] * h]


def cut(pixels: np.ndarray, b: Any, side: int) -> np.ndarray | None:
    x0, y0, x1, y1 = (int(edge) for edge in b[:4])
    part = pixels[
        max(y0, 1) - 1 : max(min(y1, pixels.shape[0]), 0), max(x0, 1) - 1 : max(min(x1, pixels.shape[1]), 0)
    ]
    return area(part, side, side) if part.size else None


def propose(pixels: np.ndarray, w: Weights, settings: DetectorSettings) -> list[Any]:
    """Return the square boxes of P-Net."""
    boxes: list[Any] = []
    scale = 12 / settings.min_face
    side = min(pixels.shape[:2]) * scale
    while side >= 12:
        x = area(pixels, int(pixels.shape[0] * scale + 1), int(pixels.shape[1] * scale + 1))
        x = pool(prelu(convolve(x, w, "pnet.conv1"), w, "pnet.prelu1"), 2)
        x = prelu(convolve(x, w, "pnet.conv2"), w, "pnet.prelu2")
        x = prelu(convolve(x, w, "pnet.conv3"), w, "pnet.prelu3")
        scores, offsets = softmax(convolve(x, w, "pnet.score")), convolve(x, w, "pnet.box")
        level = []
        for row in range(scores.shape[0]):
            for column in range(scores.shape[1]):
                if scores[row, column] >= settings.thresholds[0]:
                    corner = [math.floor(np.float32(2 * v + 1) / np.float32(scale)) for v in (column, row)]
                    corner += [math.floor(np.float32(2 * v + 12) / np.float32(scale)) for v in (column, row)]
                    level.append([*corner, scores[row, column], offsets[:, row, column]])
        boxes += suppress(level, 0.5, "union")
        scale, side = scale * settings.factor, side * settings.factor
    return [square(moved(b, b[5], 0)) for b in suppress(boxes, 0.7, "union")]


def oracle(pixels: np.ndarray, w: Weights, settings: DetectorSettings) -> list[Any]:
    """Return (x0, y0, x1, y1, score, landmarks) per face, most probable first, half open."""
    refined = []
    for b in propose(pixels, w, settings):
        if (crop := cut(pixels, b, 24)) is not None:
            score, offsets = run_network(crop, w, "rnet")
            if score > settings.thresholds[1]:
                refined.append([*b, score, offsets])
    found = []
    for b in [square(moved(b, b[5], 1)) for b in suppress(refined, 0.7, "union")]:
        if (crop := cut(pixels, b, 48)) is not None:
            score, offsets, points = run_network(crop, w, "onet")
            if score > settings.thresholds[2]:
                width, height = b[2] - b[0] + 1, b[3] - b[1] + 1
                landmarks = [
                    (width * points[i] + b[0] - 1, height * points[i + 5] + b[1] - 1) for i in range(5)
                ]
                found.append([*moved(b, offsets, 1), score, landmarks])
    return [[b[0] - 1, b[1] - 1, *b[2:]] for b in suppress(found, 0.7, "min")]


def random_weights(seed: int) -> dict[str, torch.Tensor]:
    """Random weights that spread the scores and move boxes by about a tenth."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in load_mtcnn_weights().items():
        fan_in = value[0].numel() if value.ndim > 1 else 10
        gain = 4.0 if ".score." in name else 0.02 if ".box." in name else 1.4
        weights[name] = torch.randn(value.shape, generator=generator) * gain / fan_in**0.5
        if "prelu" in name:
            weights[name] = torch.rand(value.shape, generator=generator) - 0.3
    return weights


@pytest.mark.parametrize("shape", [(20, 20), (21, 47), (53, 38), (44, 44), (90, 23), (19, 300)])
def test_the_detector_equals_the_oracle(shape: tuple[int, int]) -> None:
    """With either runtime."""
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    weights = random_weights(1)
    settings = DetectorSettings(thresholds=(0.5, 0.2, 0.05))
    expected = oracle(pixels, {name: value.double().numpy() for name, value in weights.items()}, settings)
    assert (len(expected) > 0) == (min(shape) >= settings.min_face)
    for runtime in RUNTIMES:
        (found,) = MTCNN(settings, weights=weights, runtime=runtime).detect([pixels])
        assert len(found) == len(expected)
        for number, face in enumerate(expected):
            np.testing.assert_allclose(found.boxes[number], face[:4], atol=2e-3)
            np.testing.assert_allclose(found.probabilities[number], face[4], atol=1e-4)
            np.testing.assert_allclose(found.landmarks[number], face[5], atol=2e-3)


def test_runtimes_find_the_same_faces(orl_photos: list[tuple[str, bytes]]) -> None:
    photos = [np.array(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in orl_photos[:40:4]]
    settings = DetectorSettings(thresholds=(0.4, 0.3, 0.3))
    by_torch, by_openvino = (MTCNN(settings, runtime=runtime).detect(photos) for runtime in RUNTIMES)
    assert sum(map(len, by_torch)) >= len(photos)
    for a, b in zip(by_torch, by_openvino, strict=True):
        np.testing.assert_allclose(b.boxes, a.boxes, atol=1e-3)
        np.testing.assert_allclose(b.probabilities, a.probabilities, atol=1e-5)
        np.testing.assert_allclose(b.landmarks, a.landmarks, atol=1e-3)


def as_bytes(faces: Faces) -> bytes:
    return faces.boxes.tobytes() + faces.probabilities.tobytes() + faces.landmarks.tobytes()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_batching_changes_no_byte(runtime: RuntimeName, orl_photos: list[tuple[str, bytes]]) -> None:
    rng = np.random.default_rng(0)
    photos = [np.array(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in orl_photos[:6]]
    photos += [rng.integers(0, 256, (70, 130, 3), dtype=np.uint8), np.zeros((5, 5, 3), np.uint8)]
    detector = MTCNN(DetectorSettings(thresholds=(0.4, 0.3, 0.3)), runtime=runtime)
    alone = [as_bytes(detector.detect([photo])[0]) for photo in photos]
    assert [as_bytes(faces) for faces in detector.detect(photos)] == alone
    assert [as_bytes(faces) for faces in detector.detect(photos[::-1])][::-1] == alone


def test_groups_bound_memory_and_change_nothing(
    monkeypatch: pytest.MonkeyPatch, orl_photos: list[tuple[str, bytes]]
) -> None:
    photos = [np.array(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in orl_photos[:3]]
    together = MTCNN().detect(photos)
    monkeypatch.setattr(module, "GROUP_PIXELS", 1)
    assert [as_bytes(f) for f in MTCNN().detect(photos)] == [as_bytes(f) for f in together]


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 500), (12, 12), (19, 300), (300, 19), (20, 4000), (400, 20), (37, 51)]
)
@pytest.mark.parametrize("kind", ["noise", "black"])
def test_no_image_crashes(shape: tuple[int, int], kind: str) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256 if kind == "noise" else 1, (*shape, 3), dtype=np.uint8)
    (faces,) = MTCNN(DetectorSettings(min_face=12, thresholds=(0.1, 0.1, 0.1))).detect([pixels])
    assert np.isfinite(faces.boxes).all()
    assert (faces.boxes[:, 2:] > faces.boxes[:, :2]).all()


@pytest.mark.slow
def test_more_windows_than_an_int16_can_count() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (280, 280, 3), dtype=np.uint8)
    detector = MTCNN(DetectorSettings(min_face=12, thresholds=(0.0, 1.0, 1.0)))
    (faces,) = detector.detect([pixels])  # 35,000 windows, none of which exceeds a probability of 1
    assert len(faces) == 0


def test_a_large_photo_is_searched_on_a_reduced_copy(orl_photos: list[tuple[str, bytes]]) -> None:
    small = Image.open(io.BytesIO(orl_photos[0][1])).convert("RGB")
    large = np.array(small.resize((small.width * 4, small.height * 4), Image.Resampling.BICUBIC))
    (whole,) = MTCNN().detect([large])
    (reduced,) = MTCNN(DetectorSettings(max_side=150)).detect([large])
    assert len(whole) == len(reduced) == 1
    np.testing.assert_allclose(reduced.boxes, whole.boxes, atol=0.1 * (whole.boxes[0, 2] - whole.boxes[0, 0]))


NAN, INF = math.nan, math.inf
OUT_OF_RANGE = {
    "min_face": [11, NAN, INF, -20],
    "max_side": [3, 0, NAN, INF],
    "factor": [0, 1.0, -0.5, NAN, INF],
    "thresholds": [(2, 0, 0), (0, NAN, 0), (0, 0, -0.1), (0, 0, INF), (0.5, 0.5)],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in OUT_OF_RANGE.items() for value in values]
)
def test_a_setting_out_of_range_is_named_with_its_value_and_range(name: str, value: Any) -> None:
    message = rf"setting {name} is {re.escape(str(value))}: it must be .*\d"
    with pytest.raises(ParamsInvalid, match=message):
        DetectorSettings(**{name: value})


def iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


@pytest.mark.slow
@pytest.mark.shared
def test_lfw_agrees_with_facenet_pytorch(shared: Path) -> None:
    import tarfile

    reference = json.loads((shared / "reference" / "mtcnn-lfw.json").read_text())
    photos = {}
    with tarfile.open(shared / "data" / "lfw" / "lfw-deepfunneled.tgz") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if name in reference and (file := archive.extractfile(member)):
                photos[name] = np.array(Image.open(file).convert("RGB"))
    same = matched = close = total = 0
    for (_, expected), found in zip(
        sorted(reference.items()), MTCNN().detect([photos[n] for n in sorted(photos)]), strict=True
    ):
        same += len(expected) == len(found)
        for face in expected:
            total += 1
            overlap = [iou(box, np.array(face["box"])) for box in found.boxes]
            if overlap and max(overlap) >= 0.9:
                matched += 1
                gap = found.landmarks[int(np.argmax(overlap))] - np.array(face["landmarks"])
                close += bool(np.hypot(*gap.T).max() <= 2)
    assert same >= 0.98 * len(reference)
    assert matched >= 0.99 * total
    assert close >= 0.99 * total
