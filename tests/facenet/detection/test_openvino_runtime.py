from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.openvino_runtime import CANVAS_SHAPES, CHUNKS, openvino_runtime
from facenet.detection.runtime import Runtime


def runtime(threads: int = 1) -> Runtime:
    torch.manual_seed(0)
    return openvino_runtime(PNet(), RNet(), ONet(), threads=threads)


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(side).uniform(0, 255, (count, side, side, 4)).astype(np.float32)


def canvas(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(height)
    pixels = rng.uniform(0, 255, (height, width, 4)).astype(np.float32)
    return pixels, np.zeros((height - 2, width - 2), np.float32)


@pytest.mark.parametrize("threads", [2, 3, 100])
def test_the_number_of_threads_changes_no_byte(threads: int) -> None:
    alone, many = runtime(), runtime(threads)
    assert many.refine(crops(70, 24)).tobytes() == alone.refine(crops(70, 24)).tobytes()
    assert many.decide(crops(21, 48)).tobytes() == alone.decide(crops(21, 48)).tobytes()
    assert many.propose(*canvas(40, 64)).tobytes() == alone.propose(*canvas(40, 64)).tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_callers_may_share_it(threads: int) -> None:
    shared = runtime(threads)
    expected = [shared.decide(crops(count, 48)) for count in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda count: shared.decide(crops(count, 48)), [*range(1, 9)] * 4))
    for number, rows in enumerate(found):
        assert rows.tobytes() == expected[number % 8].tobytes()


def test_a_shape_seen_again_gives_the_same_bytes() -> None:
    networks = runtime()
    before = networks.propose(*canvas(40, 64))
    for height in range(16, 16 + 8 * CANVAS_SHAPES, 8):  # so many that the first is forgotten
        networks.propose(*canvas(height, 24))
    assert networks.propose(*canvas(40, 64)).tobytes() == before.tobytes()


def test_results_stay_when_the_networks_run_again() -> None:
    networks = runtime()
    first = networks.refine(crops(CHUNKS[0], 24))
    kept = first.copy()
    networks.refine(crops(CHUNKS[0], 24) / 2)
    np.testing.assert_array_equal(first, kept)


def test_confident_networks_do_not_warn() -> None:
    onet = ONet()
    with torch.no_grad():
        onet.score.bias[:] = torch.tensor([0.0, -500.0])
    networks = openvino_runtime(PNet(), RNet(), onet, threads=1)
    with np.errstate(all="raise"):
        assert (networks.decide(crops(2, 48))[:, 0] == 0).all()
