from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from facenet.devices import cpu_threads
from facenet.export.session import onnx_session


@pytest.mark.parametrize("threads", [1, 2])
def test_a_session_has_the_threads_of_the_process(exported: Path, threads: int) -> None:
    with cpu_threads(threads):
        session = onnx_session(exported / "rnet.onnx")
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_a_model_is_read_from_its_bytes_too(exported: Path) -> None:
    path = exported / "rnet.onnx"
    pixels = {"pixels": np.full((1, 24, 24, 3), 200, np.float32)}
    plain = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, pixels)
    for session in (onnx_session(path), onnx_session(path.read_bytes())):
        for expected, found in zip(plain, session.run(None, pixels), strict=True):
            assert np.allclose(found, expected, atol=1e-6)
