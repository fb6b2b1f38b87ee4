import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from facenet import networks
from facenet.detection import MTCNN, CropSettings, FaceAligner
from facenet.embedder import Embedder
from facenet.networks.dlib_file import packaged_dlib_file
from facenet.networks.dlib_resnet import BLOCKS, Affine, DlibResNet, Residual
from facenet.standardisation import standardise


@pytest.fixture(scope="module")
def trained() -> networks.EmbeddingNetwork:
    network = networks.build("dlib_resnet")
    networks.load_state(network, packaged_dlib_file())
    return network.eval()


def described_by_dlib(chips: np.ndarray) -> np.ndarray:
    """The embeddings of (N, 150, 150, 3) faces, computed by dlib itself."""
    dlib = pytest.importorskip("dlib")
    model = dlib.face_recognition_model_v1(str(packaged_dlib_file()))
    return np.array([model.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips])


def check(trained: nn.Module, photos: list[np.ndarray]) -> None:
    crop = CropSettings("similarity", 150, 0, "source", "ours")
    chips = np.stack([face.image for face in FaceAligner(MTCNN(), "center_weighted", crop).align(photos)])
    expected = described_by_dlib(chips)
    with torch.inference_mode():
        found = networks.embed(trained, standardise(chips, "dlib")).numpy()
    folded = Embedder(trained, image_size=150, standardisation="dlib", batch_size=8).embed(chips)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(folded, expected, rtol=0, atol=1e-5)
    assert np.linalg.norm(expected, axis=1).min() > 1.1  # not normalised


def test_it_computes_what_dlib_computes(
    trained: networks.EmbeddingNetwork, orl_photos: list[tuple[str, bytes]]
) -> None:
    photos = [Image.open(io.BytesIO(content)).convert("RGB") for _, content in orl_photos[::67]]
    check(trained, [np.asarray(photo) for photo in photos])


@pytest.mark.shared
def test_it_computes_what_dlib_computes_on_lfw(
    trained: networks.EmbeddingNetwork, real_file: Callable[[str], Path]
) -> None:
    photos: list[np.ndarray] = []
    with tarfile.open(real_file("lfw-deepfunneled.tgz")) as archive:
        while len(photos) < 8:
            entry = archive.next()
            assert entry is not None
            content = archive.extractfile(entry) if entry.isfile() else None
            if content is not None:
                photos.append(np.asarray(Image.open(io.BytesIO(content.read()))))
    check(trained, photos)


def test_parameter_counts() -> None:
    assert sum(p.numel() for p in DlibResNet().parameters()) == 5_614_592
    batch_norm = DlibResNet(variant="batch_norm")
    assert sum(p.numel() for p in batch_norm.parameters()) == 5_614_592
    for network in (DlibResNet(), batch_norm):
        assert sum(isinstance(module, nn.Conv2d) for module in network.modules()) == 29


@pytest.mark.parametrize(
    ("side", "stem", "maps"),
    [
        (150, (72, 35), {0: 35, 3: 17, 7: 8, 10: 4, 13: 2}),
        (103, (49, 24), {0: 24, 3: 12, 7: 6, 10: 3, 13: 1}),
    ],
)
def test_maps(side: int, stem: tuple[int, int], maps: dict[int, int]) -> None:
    network = DlibResNet().eval()
    seen: list[tuple[int, int]] = []
    layers = [network.stem, network.pool, *(network.blocks[number] for number in maps)]
    for layer in layers:
        layer.register_forward_hook(lambda _m, _i, out: seen.append((out.shape[1], out.shape[2])))
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    assert seen == [(32, stem[0]), (32, stem[1]), *((BLOCKS[n][0], size) for n, size in maps.items())]


def test_a_halving_block_pads_branch_and_shortcut() -> None:
    torch.manual_seed(0)
    block = Residual(4, 6, halves=True, variant="affine").eval()
    nn.init.uniform_(block.conv2.bn.weight)
    x = torch.randn(1, 4, 8, 8)  # the branch becomes 6 x 3 x 3, the shortcut 4 x 4 x 4
    expected = torch.zeros(1, 6, 4, 4)
    with torch.no_grad():
        expected[:, :, :3, :3] += block.conv2(torch.relu(block.conv1(x)))
        for row in range(4):
            for column in range(4):
                window = x[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
                expected[:, :4, row, column] += window.mean(dim=(2, 3))
        torch.testing.assert_close(block(x), expected.clamp_min(0))


def test_an_affine_layer_scales_and_shifts_each_channel() -> None:
    layer, x = Affine(3), torch.randn(2, 3, 4, 5)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    for channel in range(3):
        expected = x[:, channel] * layer.weight[channel] + layer.bias[channel]
        torch.testing.assert_close(layer(x)[:, channel], expected)


@pytest.mark.parametrize("variant", DlibResNet.variants)
def test_fresh_weights_keep_the_scale_of_images_and_train(variant: str) -> None:
    network = DlibResNet(8, variant=variant)
    prelogits = network(torch.randn(4, 3, 128, 128))
    assert 0.01 < prelogits.std().item() < 10
    prelogits.square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_published_sizes_and_raw_variants() -> None:
    assert (DlibResNet.published_image_size, DlibResNet.published_embedding_size) == (150, 128)
    assert DlibResNet.raw_variants == ("affine",)
