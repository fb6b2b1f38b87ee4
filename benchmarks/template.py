"""Measure where our detector's landmarks lie in the chips that dlib cuts: the template `ours`.

One photo of each person in LFW's peopleDevTrain. dlib finds the face and its five landmarks and maps them
onto its mean face; the same map moves the landmarks of MTCNN into the chip.

Usage: `python -m benchmarks.template WORKSPACE`, a workspace with LFW through stage align; needs dlib-bin.
"""

import argparse
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facenet.detection.crop import similarity
from facenet.networks.dlib_file import packaged_dlib_file
from tasks.downloads import locate
from tasks.entry import stage_main
from tasks.shards import read_batches

SIDE, PADDING = 150, 0.25
LANDMARKS = "shape_predictor_5_face_landmarks.dat"  # in the package of the network, CC0 as well
# dlib's mean face: outer and inner corner of the eye on the right, the same on the left, base of the nose.
MEAN_FACE = np.array(
    [
        *((0.8595674595992, 0.2134981538014), (0.6460604764104, 0.2289674387677)),
        *((0.1205750620789, 0.2137274526848), (0.3340850613712, 0.2290642403242)),
        (0.4901123135679, 0.6277975316475),
    ]
)

Points = NDArray[np.complex128]


def main() -> None:
    """Print the mean position of each landmark, and its standard deviation, in pixels of the chip."""
    parser = argparse.ArgumentParser(description="Landmarks of MTCNN in chips of dlib.")
    parser.add_argument("workspace", type=Path)
    workspace = parser.parse_args().workspace
    lines = locate("peopleDevTrain.txt").read_text().splitlines()[1:]
    found = np.array(list(positions(workspace / "data", {line.split("\t")[0] for line in lines})))
    print(f"{len(found):,} people")
    places = np.stack([found.real, found.imag], axis=-1)
    print("mean", places.mean(axis=0).round(2).tolist())
    print("deviation", places.std(axis=0).round(2).tolist())


def positions(data: Path, people: set[str]) -> Iterator[Points]:
    """Yield x + iy of the five landmarks in the chip, (5,), of one photo of each person."""
    import dlib

    detector, predictor = (
        dlib.get_frontal_face_detector(),
        dlib.shape_predictor(str(packaged_dlib_file().with_name(LANDMARKS))),
    )
    target = (PADDING + MEAN_FACE) / (1 + 2 * PADDING) * SIDE @ (1, 1j)
    landmarks = chosen(data, people)
    for batch in read_batches(data / "raw", "images"):
        for photo, content in zip(batch["image_id"].to_pylist(), batch["image"], strict=True):
            if photo not in landmarks:
                continue
            pixels = np.asarray(Image.open(BytesIO(content.as_py())).convert("RGB"))
            points = landmarks[photo]
            centre = dlib.point(int(points.mean().real), int(points.mean().imag))
            for box in (face for face in detector(pixels, 0) if face.contains(centre)):
                parts = np.array([complex(part.x, part.y) for part in predictor(pixels, box).parts()])
                scale, shift = similarity(parts, target)
                # dlib counts from the centre of the first pixel, we from its edge
                yield scale * (points - 0.5 - 0.5j) + shift + 0.5 + 0.5j
                break


def chosen(data: Path, people: set[str]) -> dict[str, Points]:
    """Return the landmarks (5,) of the first photo with a face of each person, by image_id."""
    found: dict[str, tuple[str, Points]] = {}
    columns = ("image_id", "identity", "landmarks", "fallback")
    for batch in read_batches(data / "aligned", "faces"):
        rows = zip(*(batch[column].to_pylist() for column in columns), strict=True)
        for photo, person, landmarks, fallback in rows:
            if person in people and person not in found and not fallback:
                found[person] = photo, np.array(landmarks).reshape(5, 2) @ (1, 1j)
    return dict(found.values())


if __name__ == "__main__":
    stage_main(main)
