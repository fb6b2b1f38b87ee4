"""One side of the detector benchmark, a long-running process: per line of JSON, one round of detection.

Runs in our environment and in the baseline's, so it imports this project only on our side.
Usage: python benchmarks/detect_rounds.py ours|peer THREADS < requests
Request: {"photos": [paths], "batch": n, "faces": bool}. Answer: {"seconds", "peak_memory_mb", "faces"}.
Only detection is timed. Photos are decoded beforehand, batch by batch, so that memory stays constant.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

Detect = Callable[[list[NDArray[np.uint8]]], list[Any]]


def ours() -> Detect:
    """Return our detector, which maps a list of photos to a list of (box, landmarks) per photo."""
    from facenet.detection import MTCNN

    detector = MTCNN()

    def detect(photos: list[NDArray[np.uint8]]) -> list[Any]:
        return [list(zip(f.boxes, f.landmarks, strict=True)) for f in detector.detect(photos)]

    return detect


def peer() -> Detect:
    """Return facenet-pytorch's detector with its defaults, which equal ours."""
    from facenet_pytorch import MTCNN

    detector = MTCNN(keep_all=True, device="cpu")

    def detect(photos: list[NDArray[np.uint8]]) -> list[Any]:
        if len(photos) == 1:
            boxes, _, landmarks = detector.detect(photos[0], landmarks=True)
            boxes, landmarks = [boxes], [landmarks]
        else:
            boxes, _, landmarks = detector.detect(np.stack(photos), landmarks=True)
        return [
            [] if b is None else list(zip(b, points, strict=True))
            for b, points in zip(boxes, landmarks, strict=True)
        ]

    return detect


def run_round(detect: Detect, photos: Sequence[str], batch: int) -> tuple[float, list[Any]]:
    """Return the seconds of detection, and the faces of each photo."""
    seconds, found = 0.0, []
    for start in range(0, len(photos), batch):
        pixels = [np.array(Image.open(path).convert("RGB")) for path in photos[start : start + batch]]
        began = time.perf_counter()
        found += detect(pixels)
        seconds += time.perf_counter() - began
    return seconds, found


def peak_memory_mb() -> float:
    """Return this process's peak resident set; getrusage would include the parent's before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


def answer_requests(sides: dict[str, Callable[[], Detect]]) -> None:
    """Answer requests until the input ends, with the side named on the command line."""
    side, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    detect = sides[side]()
    for request in map(json.loads, sys.stdin):
        seconds, found = run_round(detect, request["photos"], request["batch"])
        faces = [[(box.tolist(), points.tolist()) for box, points in photo] for photo in found]
        answer = {
            "seconds": seconds,
            "peak_memory_mb": peak_memory_mb(),
            "torch": torch.__version__,
            "faces": faces if request.get("faces") else None,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    answer_requests({"ours": ours, "peer": peer})
