"""What training, embedding and detection compute on a GPU, against the same on the CPU.

Skipped without a CUDA device; `make test-gpu` runs only the tests for a GPU. With FACENET_TEST_DEVICE=cpu
they run on the CPU, which tries the tests themselves.
"""

import copy
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from facenet import losses, networks
from facenet.detection import MTCNN
from facenet.detection.faces import Faces
from facenet.devices import resolve_device, resolve_precision
from facenet.embedder import Embedder
from facenet.loss_table import LOSSES
from facenet.losses.center import VERSIONS
from facenet.mining.online import STRATEGIES
from facenet.networks.registry import NETWORKS
from facenet.training import OPTIMIZERS, Division, OptimizerSettings, TrainingInterrupted, build_optimizer
from facenet.training.health import Moment
from facenet.training.update import Update
from tests.facenet.training.tiny import TinyLoss, TinyNetwork, make_trainer, recipe, same, weights

DEVICE = os.environ.get("FACENET_TEST_DEVICE", "cuda")
if DEVICE == "cuda" and not torch.cuda.is_available():
    pytest.skip(
        "no CUDA device: run `make test-gpu` on a machine with an NVIDIA GPU", allow_module_level=True
    )
pytestmark = pytest.mark.gpu

CPU = torch.device("cpu")
FACES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3)).astype(np.uint8))
LABELS = torch.arange(12) // 2  # six people with two faces each
STEPS = 5
LOSS_SETTINGS: dict[str, dict[str, Any]] = {
    **{name: {"name": name} for name in LOSSES},
    **{f"center {version}": {"name": "softmax", "center_factor": 0.5, "center_version": version}
       for version in VERSIONS},
    **{f"triplet {mining}": {"name": "triplet", "mining": mining} for mining in STRATEGIES},
    "listed triplet": {"name": "triplet", "listed": True},
    "listed contrastive": {"name": "contrastive", "listed": True},
    "sampled arcface": {"name": "arcface", "head_share": 0.5},
}  # fmt: skip


@pytest.fixture(scope="module")
def device() -> torch.device:
    """The device under test."""
    return torch.device(DEVICE)


@pytest.fixture
def exact() -> Iterator[None]:
    """Multiply in full float32 and deterministically: by default convolutions use TensorFloat-32."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = False, True
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = before


def require_fp16(device: torch.device, precision: str) -> None:
    if precision == "fp16" and device.type == "cpu":
        pytest.skip("fp16 trains on a GPU only")


def make_update(
    device: torch.device, *, optimizer: str = "adamw", precision: str = "fp32", scale: float = 1.0
) -> Update:
    torch.manual_seed(1)
    network, loss = TinyNetwork(0.0), TinyLoss(scale)
    return Update(
        network=network,
        loss=loss,
        optimizer=build_optimizer(optimizer, [network, loss], OptimizerSettings(lr=0.01, weight_decay=1e-3)),
        division=Division(),
        device=device,
        precision=precision,
        seed=3,
    )


def train(update: Update, steps: int = STEPS, *, first: int = 1) -> list[float]:
    update.train()
    return [
        update(FACES, LABELS, Moment(step=step, lr=0.01, precision=update.precision))[0]
        for step in range(first, first + steps)
    ]


def parameters(update: Update) -> list[Tensor]:
    return [p.detach().cpu().clone() for module in (update.network, update.loss) for p in module.parameters()]


def test_auto_selects_the_gpu_and_bf16(device: torch.device) -> None:
    if device.type == "cuda":
        assert resolve_device("auto").type == "cuda"
        assert resolve_precision("auto", device) == ("bf16" if torch.cuda.is_bf16_supported() else "fp32")


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_takes_the_steps_of_the_cpu(device: torch.device, optimizer: str) -> None:
    there, here = (make_update(each, optimizer=optimizer) for each in (device, CPU))
    assert train(there) == pytest.approx(train(here), rel=1e-3)
    for a, b in zip(parameters(there), parameters(here), strict=True):
        assert (a - b).abs().mean() < 1e-4  # a few, with a gradient near zero, may step the other way


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_learns_in_mixed_precision(
    device: torch.device, optimizer: str, precision: str
) -> None:
    require_fp16(device, precision)
    mixed, full = (make_update(device, optimizer=optimizer, precision=p) for p in (precision, "fp32"))
    found, expected = train(mixed, 10), train(full, 10)
    assert found == pytest.approx(expected, rel=0.05)
    assert found != expected
    assert all(parameter.dtype == torch.float32 for parameter in parameters(mixed))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", LOSS_SETTINGS)
def test_every_loss_has_the_value_and_gradients_of_the_cpu(device: torch.device, name: str) -> None:
    torch.manual_seed(2)
    here = losses.build(**LOSS_SETTINGS[name], embedding_size=8, classes=6)
    there = copy.deepcopy(here).to(device)
    prelogits, results = torch.randn(12, 8), []
    for loss, place in ((here, CPU), (there, device)):
        given = prelogits.to(place).requires_grad_()
        torch.manual_seed(4)
        output = loss(given, LABELS.to(place))
        output.value.backward()
        metrics = {key: float(value) for key, value in output.metrics.items()}
        grads = [p.grad for p in loss.parameters() if p.grad is not None]
        results.append((output.value.item(), metrics, [g.cpu() for g in (given.grad, *grads)]))
    one, other = results
    assert other[0] == pytest.approx(one[0], rel=1e-4)
    assert other[1] == pytest.approx(one[1], rel=1e-4, abs=1e-6)
    for a, b in zip(one[2], other[2], strict=True):
        torch.testing.assert_close(b, a, rtol=1e-3, atol=1e-5)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step_of_every_network_is_that_of_the_cpu(device: torch.device, name: str) -> None:
    found = []
    for place in (device, CPU):
        torch.manual_seed(1)
        network = networks.build(name, embedding_size=32)
        side = network.min_image_size
        loss = losses.build("cosface", embedding_size=32, classes=6, scale=8.0)
        update = Update(
            network=network,
            loss=loss,
            optimizer=build_optimizer("sgd", [network, loss], OptimizerSettings(lr=0.01)),
            division=Division(),
            device=place,
            precision="fp32",
            seed=3,
        )
        update.train()
        faces = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (12, side, side, 3), np.uint8))
        value, metrics = update(faces, LABELS, Moment(step=1, lr=0.01, precision="fp32"))
        found.append((value, metrics["gradient_norm"]))
    assert found[0] == pytest.approx(found[1], rel=5e-3)


def test_a_scaler_skips_a_step_that_overflows_and_lowers_its_scale(device: torch.device) -> None:
    require_fp16(device, "fp16")
    update = make_update(device, precision="fp16", scale=1e30)
    before, scale = parameters(update), update.state()["scaler"]["scale"]
    train(update, 1)
    assert all(torch.equal(a, b) for a, b in zip(before, parameters(update), strict=True))
    assert update.state()["scaler"]["scale"] == scale / 2


def test_the_scale_of_gradients_is_in_a_checkpoint(device: torch.device) -> None:
    require_fp16(device, "fp16")
    update = make_update(device, precision="fp16", scale=1e30)
    train(update, 3)
    other = make_update(device, precision="fp16", scale=1e30)
    assert other.state()["scaler"] != update.state()["scaler"]
    other.restore(copy.deepcopy(update.state()))
    assert other.state()["scaler"] == update.state()["scaler"]


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("name", ["pieces", "mining", "remined", "exemplars"])
def test_a_run_resumes_from_its_checkpoint(
    device: torch.device, name: str, precision: str, tmp_path: Path
) -> None:
    require_fp16(device, precision)
    seen: list[float] = []

    def trainer(folder: str, **options: Any) -> Any:
        return make_trainer(
            tmp_path / folder,
            device=device,
            precision=precision,
            on_step=lambda report: seen.append(report.loss),
            **options,
            **recipe(name),
        )

    whole = trainer("whole")
    assert list(whole.run())
    expected = list(seen)
    seen.clear()
    stopped = trainer("stopped", should_stop=lambda: len(seen) == 3)
    with pytest.raises(TrainingInterrupted, match="step 3"):
        list(stopped.run())
    resumed = trainer("stopped")
    assert resumed.resumed
    assert list(resumed.run())
    assert seen == pytest.approx(expected, rel=1e-3)
    if device.type == "cpu" or (name, precision) == ("pieces", "fp32"):  # without sums in any order
        assert seen == expected
        assert same(weights(whole), weights(resumed))
    for key, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[key], value, rtol=1e-2, atol=1e-3, msg=key)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_run_in_mixed_precision_ends_near_that_in_fp32(
    device: torch.device, precision: str, tmp_path: Path
) -> None:
    require_fp16(device, precision)
    found = {}
    for each in ("fp32", precision):
        trainer = make_trainer(tmp_path, precision=each, device=device, epochs=10, checkpoints=None)
        found[each] = [report.loss for report in trainer.run()]
    assert found[precision] == pytest.approx(found["fp32"], rel=0.1)
    assert found[precision][-1] < found[precision][0]


def photos(orl_photos: list[tuple[str, bytes]], count: int) -> list[Any]:
    """Return real faces as uint8 RGB, three times their size, so that the detector's pyramid has levels."""
    images = [
        Image.open(io.BytesIO(data)).convert("RGB") for _, data in orl_photos[:: len(orl_photos) // count]
    ]
    return [np.asarray(image.resize((image.width * 3, image.height * 3))) for image in images]


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", ["nn4_small2", "inception_resnet_v1"])
@pytest.mark.parametrize(
    ("precision", "tf32", "apart"),
    [("fp32", False, 1e-5), ("fp32", True, 1e-4), ("fp16", True, 1e-4), ("bf16", True, 1e-3)],
)
def test_embeddings_are_those_of_the_cpu(
    device: torch.device,
    name: str,
    precision: str,
    tf32: bool,
    apart: float,
    orl_photos: list[tuple[str, bytes]],
) -> None:
    require_fp16(device, precision)
    torch.backends.cudnn.allow_tf32 = tf32
    torch.manual_seed(0)
    network = networks.build(name, embedding_size=64).eval()
    side = network.min_image_size
    faces = np.stack(
        [np.asarray(Image.fromarray(photo).resize((side, side))) for photo in photos(orl_photos, 20)]
    )
    there = Embedder(network, image_size=side, device=device, precision=precision, batch_size=8)
    here = Embedder(network, image_size=side, device=CPU, batch_size=8)
    found, expected = there.embed(faces), here.embed(faces)
    assert (found.dtype, found.shape) == (np.float32, (20, 64))
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert (found * expected).sum(axis=1).min() > 1 - apart


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_embedding_depends_only_on_its_face(device: torch.device, precision: str) -> None:
    torch.manual_seed(1)
    network = networks.build("nn4_small2", embedding_size=16)
    faces = np.random.default_rng(1).integers(0, 256, (11, 96, 96, 3), np.uint8)
    embedder = Embedder(network, image_size=96, device=device, precision=precision, batch_size=8)
    together = embedder.embed(faces)
    order = np.random.default_rng(2).permutation(len(faces))
    assert np.array_equal(embedder.embed(faces[order]), together[order])
    assert np.array_equal(embedder.embed(faces[5:6]), together[5:6])


def assert_faces_agree(found: list[Faces], expected: list[Faces], pixels: float, probability: float) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=probability)
        np.testing.assert_allclose(a.boxes, b.boxes, atol=pixels)
        np.testing.assert_allclose(a.landmarks, b.landmarks, atol=pixels)


@pytest.mark.usefixtures("exact")
def test_detections_are_those_of_the_cpu(device: torch.device, orl_photos: list[tuple[str, bytes]]) -> None:
    shown = photos(orl_photos, 20)
    expected = MTCNN(device=CPU, runtime="torch").detect(shown)
    assert sum(len(faces.boxes) for faces in expected) >= 20
    assert_faces_agree(MTCNN(device=device).detect(shown), expected, pixels=0.02, probability=1e-3)


def test_detections_with_default_settings_are_near_those_of_the_cpu(
    device: torch.device, orl_photos: list[tuple[str, bytes]]
) -> None:
    shown = photos(orl_photos, 20)
    expected = MTCNN(device=CPU, runtime="torch").detect(shown)
    assert_faces_agree(MTCNN(device=device).detect(shown), expected, pixels=2.0, probability=0.02)


def test_a_detection_does_not_depend_on_the_batch(
    device: torch.device, orl_photos: list[tuple[str, bytes]]
) -> None:
    shown, detector = photos(orl_photos, 8), MTCNN(device=device)
    together = detector.detect(shown)
    for number in (0, 5):
        (alone,) = detector.detect([shown[number]])
        assert alone.boxes.tobytes() == together[number].boxes.tobytes()
        assert alone.probabilities.tobytes() == together[number].probabilities.tobytes()
