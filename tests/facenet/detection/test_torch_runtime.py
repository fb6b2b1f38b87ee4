"""The networks on torch, against a call of the modules themselves."""

import numpy as np
import pytest
import torch

from facenet.detection import torch_runtime as module
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.torch_runtime import ACCELERATOR_CHUNKS, CPU_CHUNKS, mtcnn_input, torch_runtime

CPU = torch.device("cpu")


def networks() -> tuple[PNet, RNet, ONet]:
    torch.manual_seed(0)
    return PNet().eval(), RNet().eval(), ONet().eval()


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(side).uniform(0, 255, (count, side, side, 4)).astype(np.float32)


def standardised(pixels: np.ndarray) -> torch.Tensor:
    """(N, H, W, 4) as the paper's input (N, 3, H, W), in double precision until the end."""
    values = (pixels[..., :3].astype(np.float64) - 127.5) / 128
    return torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))


def test_standardisation() -> None:
    pixels = np.array([0, 127.5, 255, 9], np.float32).reshape(1, 1, 1, 4)
    assert mtcnn_input(pixels, CPU).flatten().tolist() == [-0.99609375, 0, 0.99609375]


def test_input_is_channels_last_without_the_fourth_channel() -> None:
    x = mtcnn_input(crops(2, 24), CPU)
    assert x.shape == (2, 3, 24, 24)
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x, standardised(crops(2, 24)))


@torch.inference_mode()
def test_propose_returns_pnet_s_scores_and_offsets() -> None:
    pnet, rnet, onet = networks()
    (pixels,) = crops(1, 40)
    mask = np.zeros((38, 38), np.float32)
    mask[7] = -np.inf
    found = torch_runtime(pnet, rnet, onet, CPU).propose(pixels, mask)
    scores, offsets = pnet(standardised(pixels[None]), torch.from_numpy(mask))
    assert found.shape == (5, *scores.shape[1:])
    np.testing.assert_allclose(found[0], scores[0], atol=1e-6)
    np.testing.assert_allclose(found[1:], offsets[0], atol=1e-6)


@torch.inference_mode()
def test_refine_and_decide_return_one_row_per_crop() -> None:
    pnet, rnet, onet = networks()
    runtime = torch_runtime(pnet, rnet, onet, CPU)
    for read, network, side, columns in ((runtime.refine, rnet, 24, 5), (runtime.decide, onet, 48, 15)):
        shown = crops(37, side)  # more than two chunks, the last one not full
        rows = read(shown)
        scores, *others = network(standardised(shown))
        assert rows.shape == (37, columns)
        np.testing.assert_allclose(rows, torch.cat([scores[:, None], *others], dim=1), atol=1e-6)


def test_accelerators_get_larger_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch_runtime(*networks(), CPU).chunks == CPU_CHUNKS
    assert torch_runtime(*networks(), torch.device("meta")).chunks == ACCELERATOR_CHUNKS
    seen: list[int] = []
    monkeypatch.setattr(module, "CPU_CHUNKS", (8, 2))
    rnet = networks()[1]
    rnet.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    assert len(torch_runtime(networks()[0], rnet, networks()[2], CPU).refine(crops(19, 24))) == 19
    assert seen == [8, 8, 8]
