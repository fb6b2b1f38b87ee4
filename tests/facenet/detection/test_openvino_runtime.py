from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.openvino_runtime import CANVAS_SHAPES, CHUNKS, openvino_runtime
from facenet.detection.runtime import Runtime


def runtime() -> Runtime:
    torch.manual_seed(0)
    return openvino_runtime(PNet(), RNet(), ONet())


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(side).uniform(0, 255, (count, side, side, 4)).astype(np.float32)


def canvas(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(height)
    pixels = rng.uniform(0, 255, (height, width, 4)).astype(np.float32)
    return pixels, np.zeros((height - 2, width - 2), np.float32)


def test_threads_may_share_a_runtime() -> None:
    shared = runtime()
    expected = [shared.decide(crops(count, 48)) for count in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda count: shared.decide(crops(count, 48)), [*range(1, 9)] * 4))
    for number, rows in enumerate(found):
        assert rows.tobytes() == expected[number % 8].tobytes()


def test_a_shape_seen_again_gives_the_same_bytes() -> None:
    networks = runtime()
    before = networks.propose(*canvas(40, 64))
    for height in range(16, 16 + 8 * CANVAS_SHAPES, 8):  # enough to evict the first
        networks.propose(*canvas(height, 24))
    assert networks.propose(*canvas(40, 64)).tobytes() == before.tobytes()


def test_a_later_run_does_not_overwrite_results() -> None:
    networks = runtime()
    first = networks.refine(crops(CHUNKS[0], 24))
    kept = first.copy()
    networks.refine(crops(CHUNKS[0], 24) / 2)
    np.testing.assert_array_equal(first, kept)


def test_confident_networks_do_not_warn() -> None:
    onet = ONet()
    with torch.no_grad():
        onet.score.bias[:] = torch.tensor([0.0, -500.0])
    networks = openvino_runtime(PNet(), RNet(), onet)
    with np.errstate(all="raise"):
        assert (networks.decide(crops(2, 48))[:, 0] == 0).all()
