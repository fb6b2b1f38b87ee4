"""Detect, align, embed and compare faces with an exported model: onnxruntime, numpy and pillow are enough.

    python embed_with_onnx.py EXPORTED_FOLDER left.jpg right.jpg

Copy this file into your program, or read it as the recipe for another language. It gives what FaceModel gives
for the face that the pipeline selects. All settings come from the metadata of the files.
"""

import io
import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

WINDOW, STRIDE = 12, 2  # pixels: P-Net's window, and the step between windows


class Network:
    """A network and its metadata."""

    def __init__(self, path: Path) -> None:
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (self._input,) = self._session.get_inputs()
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.settings: dict[str, Any] = {name: json.loads(value) for name, value in metadata.items()}

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for a batch of images (N, H, W, 3)."""
        outputs: list[np.ndarray] = self._session.run(None, {self._input.name: images})
        return outputs


class Face(NamedTuple):
    """Box x0 y0 x1 y1 and landmarks (5, 2) in pixels of the photo, and the probability."""

    box: np.ndarray
    landmarks: np.ndarray
    probability: float


class Model:
    """An exported folder."""

    def __init__(self, folder: Path) -> None:
        self.embedder = Network(folder / "embedder.onnx")
        self.settings = self.embedder.settings
        if "calibration" not in self.settings:
            raise SystemExit(f"{folder}: the model was not evaluated, so it has no distance and no threshold")
        if self.settings["align"]["method"] != "none":
            self.detector = Detector(*(Network(folder / f"{name}net.onnx") for name in "pro"))

    def template(self, photo: Path) -> np.ndarray:
        """Return the vector (D,) to compare for the selected face of a photo."""
        image = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
        align = self.settings["align"]
        if align["method"] == "none":
            aligned = whole_photo(image, align["image_size"])
        else:
            faces = self.detector.faces(image)
            if not faces:
                raise SystemExit(f"{photo}: no face was found")
            aligned = cut_out(image, select(faces, image.size, align["selection"]), align)
        if align["image_format"] == "jpeg":  # the model was trained and evaluated on compressed faces
            file = io.BytesIO()
            aligned.save(file, "JPEG", quality=95, subsampling=0)
            aligned = Image.open(file)
        return self.embed(np.asarray(aligned))

    def embed(self, face: np.ndarray) -> np.ndarray:
        """Return the vector (D,) of an aligned face, uint8 (A, A, 3)."""
        side = self.settings["image_size"]
        first = (len(face) - side) // 2
        crop = face[first : first + side, first : first + side]
        both = [crop] if self.settings["flip"] == "none" else [crop, crop[:, ::-1]]
        found = self.embedder(np.stack(both))[0].astype(np.float64)
        vector = found.ravel() if self.settings["flip"] == "concatenate" else found.sum(axis=0)
        if self.settings["flip"] == "add":
            vector /= np.linalg.norm(vector)
        if self.settings["flip"] == "mean":
            vector /= 2
        mean = self.settings["calibration"]["mean"]
        if self.settings["metric"] == "euclidean_squared":
            return vector
        vector = vector - (0 if mean is None else np.array(mean))
        return vector / np.linalg.norm(vector)

    def distance(self, left: np.ndarray, right: np.ndarray) -> float:
        """Return the distance between two vectors; below `settings["threshold"]` it is the same person."""
        if self.settings["metric"] == "euclidean_squared":
            return float(np.square(left - right).sum())
        cosine = float(np.clip(left @ right, -1, 1))
        return 1 - cosine if self.settings["metric"] == "cosine" else math.acos(cosine) / math.pi


class Detector:
    """MTCNN. Inside, boxes have the 1-based coordinates of the original, both edges included."""

    def __init__(self, pnet: Network, rnet: Network, onet: Network) -> None:
        self.pnet, self.rnet, self.onet = pnet, rnet, onet
        self.settings = pnet.settings["detector"]

    def faces(self, photo: Image.Image) -> list[Face]:
        """Return the faces in an RGB photo, most probable first."""
        reduction = -(-max(photo.size) // self.settings["max_side"])
        pixels = np.asarray(photo.reduce(reduction) if reduction > 1 else photo)
        sums = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1, 3), np.int64)
        sums[1:, 1:] = pixels.cumsum(0, dtype=np.int64).cumsum(1)
        boxes = self._propose(sums, max(WINDOW, self.settings["min_face"] / reduction))
        boxes, (scores, offsets) = self._read(self.rnet, sums, boxes, 24)
        kept = scores > self.settings["thresholds"][1]
        boxes, scores, offsets = boxes[kept], scores[kept], offsets[kept]
        kept = suppress(boxes, scores, 0.7)
        boxes = square(regress(boxes[kept], offsets[kept], 1))
        boxes, (scores, offsets, points) = self._read(self.onet, sums, boxes, 48)
        kept = scores > self.settings["thresholds"][2]
        boxes, scores, offsets, points = boxes[kept], scores[kept], offsets[kept], points[kept]
        start = boxes[:, None, :2] - 1
        landmarks = points * (boxes[:, None, 2:] - start) + start
        boxes = regress(boxes, offsets, 1) - np.array([1, 1, 0, 0], np.float32)  # from here on half open
        solid = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        kept = solid[suppress(boxes[solid], scores[solid], 0.7, smaller=True)]
        return [Face(boxes[k] * reduction, landmarks[k] * reduction, float(scores[k])) for k in kept]

    def _propose(self, sums: np.ndarray, min_face: float) -> np.ndarray:
        height, width = (side - 1 for side in sums.shape[:2])
        found, scale = [], WINDOW / min_face
        while min(height, width) * scale >= WINDOW:
            rows = cells(0, height, int(height * scale + 1))
            columns = cells(0, width, int(width * scale + 1))
            scores, offsets = (output[0] for output in self.pnet(means(sums, rows, columns)[None]))
            y, x = np.nonzero(scores >= self.settings["thresholds"][0])
            corner = np.stack([x, y], axis=1).astype(np.float32) * STRIDE
            boxes = np.floor(np.concatenate([corner + 1, corner + WINDOW], axis=1) / np.float32(scale))
            kept = suppress(boxes, scores[y, x], 0.5)
            found.append((boxes[kept], scores[y, x][kept], offsets[:, y, x].T[kept]))
            scale *= self.settings["factor"]
        if not found:
            return np.zeros((0, 4), np.float32)
        boxes, scores, offsets = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = suppress(boxes, scores, 0.7)
        return square(regress(boxes[kept], offsets[kept], 0))

    def _read(
        self, network: Network, sums: np.ndarray, boxes: np.ndarray, side: int
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the boxes that meet the photo, and the network's outputs for what is in them."""
        whole = np.trunc(boxes).astype(np.int64)
        whole[:, :2] = np.maximum(whole[:, :2], 1)
        whole[:, 2:] = np.minimum(whole[:, 2:], [sums.shape[1] - 1, sums.shape[0] - 1])
        meets = (whole[:, 2:] >= whole[:, :2]).all(axis=1)
        crops = [
            means(sums, cells(y0 - 1, y1 - y0 + 1, side), cells(x0 - 1, x1 - x0 + 1, side))
            for x0, y0, x1, y1 in whole[meets]
        ]
        return boxes[meets], network(np.array(crops, np.float32).reshape(-1, side, side, 3))


def cells(start: int, length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last edge of `count` ranges that cover `length` pixels; they may overlap by one."""
    edges = np.arange(count + 1) * length
    return start + edges[:-1] // count, start - (-edges[1:] // count)


def means(
    sums: np.ndarray, rows: tuple[np.ndarray, np.ndarray], columns: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return the mean colour, float32 (h, w, 3), of every cell, from running sums (H + 1, W + 1, 3)."""
    strips = sums[rows[1]] - sums[rows[0]]
    totals = (strips[:, columns[1]] - strips[:, columns[0]]).astype(np.float32)
    areas = (rows[1] - rows[0])[:, None] * (columns[1] - columns[0])
    return totals / areas[..., None].astype(np.float32)


def regress(boxes: np.ndarray, offsets: np.ndarray, inclusive: int) -> np.ndarray:
    """Shift each edge by its offset times the side."""
    sides = boxes[:, 2:] - boxes[:, :2] + np.float32(inclusive)
    moved: np.ndarray = boxes + offsets * np.tile(sides, 2)
    return moved


def square(boxes: np.ndarray) -> np.ndarray:
    """Return squares with the longer side around the same centres."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(axis=1, keepdims=True, initial=0)
    corner = boxes[:, :2] + sides * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], axis=1)


def suppress(boxes: np.ndarray, scores: np.ndarray, most: float, *, smaller: bool = False) -> np.ndarray:
    """Return the indices of boxes that overlap no better one by more than `most`, best first.

    smaller: divide the intersection by the smaller area instead of the union.
    """
    order, kept = np.argsort(-scores, kind="stable"), []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        sides = np.minimum(boxes[best, 2:], boxes[order, 2:]) - np.maximum(boxes[best, :2], boxes[order, :2])
        shared = np.maximum(sides, 0).prod(axis=1)
        whole = np.minimum(areas[best], areas[order]) if smaller else areas[best] + areas[order] - shared
        with np.errstate(divide="ignore", invalid="ignore"):
            order = order[~(shared / whole > most)]
    return np.array(kept, np.int64)


def select(faces: list[Face], size: tuple[int, int], selection: str) -> Face:
    """Return the face that the photo is of."""
    if selection == "most_probable":
        return max(faces, key=lambda face: face.probability)
    boxes = np.array([face.box for face in faces], np.float64)
    value = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    if selection == "center_weighted":
        away = (boxes[:, :2] + boxes[:, 2:]) / 2 - np.array(size) / 2
        value -= 2 * np.square(away).sum(axis=1)
    return faces[int(np.argmax(value))]


def cut_out(photo: Image.Image, face: Face, align: dict[str, Any]) -> Image.Image:
    """Return the aligned face, with margin: the box, or for method similarity turned onto the template."""
    side, margin, of_source = align["image_size"], align["margin"], align["margin_in"] == "source"
    if align["method"] == "similarity":
        points = np.array(align["template"]["points"]) @ (1, 1j) * (side / align["template"]["side"])
        source = face.landmarks.astype(np.float64) @ (1, 1j)  # complex numbers: a similarity is a z + b
        tight = abs(similarity(source, points)[0])
        share = 1 / (1 + margin * tight / side) if of_source else 1 - margin / side
        centre = side / 2 * (1 + 1j)
        scale, shift = similarity(source, (points - centre) * share + centre)
        factor = max(1, int(1 / abs(scale)))
        back, origin = 1 / scale / factor, -shift / scale / factor
        matrix = (back.real, -back.imag, origin.real, back.imag, back.real, origin.imag)
        reduced = photo.reduce(factor)
        return reduced.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    x0, y0, x1, y1 = map(float, face.box)
    wide, high = (
        (margin, margin) if of_source else (margin * (e / (side - margin)) for e in (x1 - x0, y1 - y0))
    )
    left, top = (
        int(min(max(v, 0), n - 1)) for v, n in zip((x0 - wide / 2, y0 - high / 2), photo.size, strict=True)
    )
    right, bottom = (
        int(min(max(v, 0), n)) for v, n in zip((x1 + wide / 2, y1 + high / 2), photo.size, strict=True)
    )
    region = photo.crop((left, top, max(right, left + 1), max(bottom, top + 1)))  # at least a pixel
    return region.resize((side, side), Image.Resampling.BILINEAR)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """Return the least-squares scale and shift from source to target."""
    centred = source - source.mean()
    scale = np.vdot(centred, target - target.mean()) / np.vdot(centred, centred)
    return complex(scale), complex(target.mean() - scale * source.mean())


def whole_photo(photo: Image.Image, side: int) -> Image.Image:
    """Return the centre square of a photo, resized only if it has another size."""
    length = min(photo.size)
    left, top = (photo.width - length) // 2, (photo.height - length) // 2
    square_part = photo.crop((left, top, left + length, top + length))
    return square_part if length == side else square_part.resize((side, side), Image.Resampling.BILINEAR)


if __name__ == "__main__":
    folder, first, second = map(Path, sys.argv[1:])
    model = Model(folder)
    apart = model.distance(model.template(first), model.template(second))
    threshold = model.settings["threshold"]
    answer = "same person" if apart < threshold else "different people"
    print(f"{answer} (distance {apart:.4f}, threshold {threshold:.4f})")
