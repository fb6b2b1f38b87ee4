"""Embeddings depend only on the face, and equal those of the plain network."""

import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import nn

from facenet import networks
from facenet.devices import cpu_threads
from facenet.embedder import Embedder, center_crop, load_embedder
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.images import decode
from facenet.model import ModelCard, NetworkCard, save_model
from facenet.standardisation import standardise


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return networks.build("nn4_small2", embedding_size=16).eval()


def faces(count: int, side: int = 96) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["nn4_small2", "inception_resnet_v1"])
def test_an_embedding_depends_only_on_its_face(name: str, precision: str) -> None:
    torch.manual_seed(1)
    network = networks.build(name, embedding_size=16)
    side = network.min_image_size
    many, some = faces(11, side), [0, 5, 10]
    with cpu_threads(2):  # kernels may split rows unevenly among threads
        embedder = Embedder(network, image_size=side, precision=precision, batch_size=6)
        together = embedder.embed(many)
        alone = np.concatenate([embedder.embed(many[i : i + 1]) for i in some])
        order = np.random.default_rng(2).permutation(len(many))
        shuffled = embedder.embed(many[order])
    assert together.shape == (11, 16)
    assert together.dtype == np.float32
    assert np.array_equal(together[some], alone)
    assert np.array_equal(together[order], shuffled)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("requested", "used"), [(1, 1), (2, 8), (8, 8), (9, 16), (64, 64)])
def test_chunks_are_single_or_of_whole_tiles(network: nn.Module, requested: int, used: int) -> None:
    assert Embedder(network, image_size=96, batch_size=requested).batch_size == used


def test_an_adaptive_embedder_does_not_pad(network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    many = faces(19)
    fixed = Embedder(network, image_size=96, batch_size=8)
    adaptive = Embedder(network, image_size=96, batch_size=16, adaptive=True)
    whole, shapes = fixed.embed(many), []
    run = networks.embed
    monkeypatch.setattr(
        networks, "embed", lambda net, images: (shapes.append(len(images)), run(net, images))[1]
    )
    for count, used in ((0, [1]), (1, [1]), (3, [3]), (9, [9]), (16, [16]), (18, [16, 2])):
        shapes.clear()
        assert np.allclose(adaptive.embed(many[:count]), whole[:count], atol=1e-5)
        assert shapes == used


def test_embedder_agrees_with_the_plain_network(network: nn.Module) -> None:
    many = faces(5)
    with torch.inference_mode():
        plain = networks.embed(network, networks.standardise_fixed(many)).numpy()
    assert np.allclose(Embedder(network, image_size=96, batch_size=4).embed(many), plain, atol=1e-5)


def test_bf16_stays_near_fp32(network: nn.Module) -> None:
    full, half = (
        Embedder(network, image_size=96, precision=p, batch_size=4).embed(faces(4)) for p in ("fp32", "bf16")
    )
    cosines = (full * half).sum(axis=1)
    assert cosines.min() > 0.99
    assert not np.array_equal(full, half)


def test_flipped_is_the_embedding_of_the_mirrored_crop(network: nn.Module) -> None:
    embedder, many = Embedder(network, image_size=96, batch_size=4), faces(3, side=99)
    mirrored = np.ascontiguousarray(many[:, 1:97, 96:0:-1])
    assert np.array_equal(embedder.embed_flipped(many), embedder.embed(mirrored))


def test_faces_and_their_mirror_images_can_be_embedded_together(network: nn.Module) -> None:
    embedder, many = Embedder(network, image_size=96, batch_size=4), faces(3, side=99)
    embeddings, mirrored = embedder.embed_both(many)
    assert np.array_equal(embeddings, embedder.embed(many))
    assert np.array_equal(mirrored, embedder.embed_flipped(many))


def test_no_faces_give_no_embeddings(network: nn.Module) -> None:
    assert Embedder(network, image_size=96, batch_size=2).embed(faces(0)).shape == (0, 16)


def test_a_network_in_training_is_evaluated_and_stays_in_training() -> None:
    fresh = networks.build("nn4_small2", embedding_size=16, dropout=0.5).train()
    embeddings = Embedder(fresh, image_size=96, batch_size=2).embed(faces(2))
    assert fresh.training
    assert np.array_equal(embeddings, Embedder(fresh.eval(), image_size=96, batch_size=2).embed(faces(2)))


def test_corrupt_weights_are_refused() -> None:
    broken = networks.build("nn4_small2", embedding_size=16)
    with torch.no_grad():
        next(broken.parameters()).fill_(float("nan"))
    with pytest.raises(WeightsInvalid, match="2 of 2 embeddings are not finite"):
        Embedder(broken, image_size=96, batch_size=4).embed(faces(2))


@pytest.mark.parametrize(("side", "first"), [(4, 0), (5, 0), (6, 1), (7, 1)])
def test_crop_is_the_middle(side: int, first: int) -> None:
    rows = np.arange(side, dtype=np.uint8)
    image = np.broadcast_to(rows[None, :, None, None], (1, side, side, 3))
    assert center_crop(image, 4)[0, :, 0, 0].tolist() == list(range(first, first + 4))


def test_small_faces_are_refused() -> None:
    with pytest.raises(ParamsInvalid, match=r"90x90.*96x96.*align\.image_size"):
        center_crop(faces(1, side=90), 96)


@pytest.mark.shared
def test_published_weights_separate_people(shared: Path, tmp_path: Path) -> None:
    """Any two photos of one person are closer than any two of different people, for five people of LFW."""
    network = networks.build("inception_resnet_v1", embedding_size=512)
    networks.load_state(network, shared / "weights" / "inception-resnet-v1-casia-webface.fp16.safetensors")
    people = ["George_W_Bush", "Colin_Powell", "Serena_Williams", "Hugo_Chavez", "Junichiro_Koizumi"]
    names = [f"{name}/{name}_{number:04d}.jpg" for name in people for number in (1, 2)]
    found = {}
    with tarfile.open(shared / "data" / "lfw" / "lfw-deepfunneled.tgz") as archive:
        for member in archive:
            name = "/".join(Path(member.name).parts[-2:])
            if name in names:
                file = archive.extractfile(member)
                assert file is not None
                middle = Image.fromarray(decode(file.read())).crop((65, 60, 185, 190))
                found[name] = np.asarray(middle.resize((160, 160), Image.Resampling.BILINEAR))
            if len(found) == len(names):
                break
    embeddings = Embedder(network, image_size=160, batch_size=5).embed(
        np.stack([found[name] for name in names])
    )
    squared = ((embeddings[:, None] - embeddings[None]) ** 2).sum(axis=2)
    person = np.arange(len(names)) // 2
    same = person[:, None] == person
    different = squared[~same]
    assert squared[same & ~np.eye(len(names), dtype=bool)].max() < different.min()


@pytest.mark.parametrize("kind", ["per_image", "none"])
def test_faces_are_standardised_as_in_training(network: nn.Module, kind: str) -> None:
    many = faces(3) // 4 + 30
    embedder = Embedder(network, image_size=96, batch_size=8, standardisation=kind)
    with torch.no_grad():
        expected = networks.embed(network, standardise(many, kind)).numpy()
    assert np.allclose(embedder.embed(many), expected, atol=1e-5)
    assert not np.allclose(Embedder(network, image_size=96, batch_size=8).embed(many), expected, atol=1e-2)


@pytest.mark.parametrize("precision", [None, "bf16"])
def test_a_stored_model_is_configured_by_its_card(
    network: nn.Module, tmp_path: Path, precision: str | None
) -> None:
    spec = NetworkCard(name="nn4_small2", embedding_size=16, image_size=80)
    card = ModelCard(network=spec, align={}, standardisation="per_image", precision="fp32")
    weights, path = tmp_path / "facenet.safetensors", tmp_path / "model.json"
    written = save_model(network, card, weights=weights, card_path=path)
    embedder, read = load_embedder(weights, path, device="cpu", batch_size=5, precision=precision)
    assert read == written
    assert (embedder.image_size, embedder.standardisation, embedder.batch_size) == (80, "per_image", 8)
    assert embedder.precision == (precision or "fp32")
