import numpy as np
import pytest
import torch
from torch import Tensor, nn

from facenet.networks.embedding import embed, normalise, standardise_fixed


def test_standardise_maps_every_byte_exactly_and_moves_colour_to_the_front() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)
    out = standardise_fixed(images)
    assert out.dtype == torch.float32
    assert out.shape == (2, 3, 3, 4)
    assert out.is_contiguous(memory_format=torch.channels_last)
    for n in range(2):
        for y in range(3):
            for x in range(4):
                for channel in range(3):
                    assert out[n, channel, y, x].item() == (float(images[n, y, x, channel]) - 127.5) / 128


def test_standardise_takes_tensors_and_read_only_rows() -> None:
    images = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    images.flags.writeable = False
    torch.testing.assert_close(
        standardise_fixed(images), standardise_fixed(torch.from_numpy(images.copy())), rtol=0, atol=0
    )


def test_embeddings_have_unit_length() -> None:
    prelogits = torch.randn(64, 128, generator=torch.Generator().manual_seed(1)) * 37
    lengths = normalise(prelogits).double().norm(dim=1)
    assert (lengths - 1).abs().max() < 1e-6


def test_a_zero_row_stays_zero_with_a_finite_gradient() -> None:
    prelogits = torch.zeros(2, 4, requires_grad=True)
    normalise(prelogits).sum().backward()
    assert not normalise(prelogits).any()
    assert prelogits.grad is not None
    assert torch.isfinite(prelogits.grad).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_embed_is_float32_also_under_autocast(dtype: torch.dtype) -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(12, 5)

        def forward(self, images: Tensor) -> Tensor:
            out: Tensor = self.linear(images.flatten(1))
            return out

    network, images = Flat(), torch.randn(3, 3, 2, 2)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        embeddings = embed(network, images)
    assert embeddings.dtype == torch.float32
    expected = torch.stack([row / row.norm() for row in network(images)])
    torch.testing.assert_close(embeddings, expected, atol=1e-6 if dtype == torch.float32 else 0.02, rtol=0)
