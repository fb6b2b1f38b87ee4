"""The MTCNN cascade: P-Net proposes, R-Net refines, O-Net decides and places landmarks.

Zhang et al., IEEE SPL 23(10), 2016. Where davidsandberg/facenet and facenet-pytorch differ we follow the
latter, so that boxes agree with it: level sizes and area means (`pyramid`), clipped crops (`boxes.clip`),
union suppression without the extra pixel (`boxes.overlaps`), boxes in floating point between stages and
truncated for cropping only. Three things differ from it: an image that is too small has no faces instead of
raising, a box outside the image is dropped without shifting the results of the others, and returned boxes are
half open and 0-based (`boxes.half_open`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from facenet.detection import boxes as geometry
from facenet.detection.faces import Faces
from facenet.detection.integral import IntegralImages, Pixels
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.pyramid import WINDOW
from facenet.detection.reader import Candidates, CropReader, Reading
from facenet.detection.runtimes import RuntimeName, choose_runtime, make_runtime
from facenet.detection.scanner import PyramidScanner, Windows
from facenet.detection.weights import load_mtcnn_weights
from facenet.errors import ParamsInvalid
from facenet.memory import keep_freed_memory

LEVEL_OVERLAP, STAGE_OVERLAP = (
    0.5,
    0.7,
)  # largest overlap allowed within a pyramid level, and after each stage
SPARE_BYTES = 31 * 2**20  # largest freed block that is kept for the next photo
GROUP_PIXELS = 2**19  # per group of images, unless a single image has more: running sums of 8 MB


@dataclass(frozen=True)
class DetectorSettings:
    """What counts as a face.

    min_face: shortest side of a face in source pixels, at least 12.
    thresholds: minimum probability for P-Net (inclusive), R-Net and O-Net (exclusive), each 0 to 1.
    factor: ratio between consecutive pyramid scales, within (0, 1).
    max_side: pixels, at least 12; a larger image is searched on a copy reduced by an integer factor, where
        faces smaller than 12 pixels are not detected. Boxes stay in source pixels.

    Raises:
        ParamsInvalid: a value is out of range.
    """

    min_face: float = 20
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    factor: float = 0.709
    max_side: int = 4096

    def __post_init__(self) -> None:
        for name in ("min_face", "max_side"):
            if not WINDOW <= getattr(self, name) < math.inf:
                raise _out_of_range(name, getattr(self, name), f"a finite number of at least {WINDOW}")
        if len(self.thresholds) != 3 or not all(0 <= threshold <= 1 for threshold in self.thresholds):
            raise _out_of_range("thresholds", self.thresholds, "three numbers from 0 to 1")
        if not 0 < self.factor < 1:
            raise _out_of_range("factor", self.factor, "between 0 and 1, both excluded")


def _out_of_range(name: str, value: object, span: str) -> ParamsInvalid:
    return ParamsInvalid(f"The detector setting {name} is {value}: it must be {span}.")


class MTCNN(nn.Module):
    """The detector. The result for an image does not depend, to the byte, on the rest of the batch.

    weights: as returned by `load_mtcnn_weights`, which is the default.
    runtime: None selects the fastest one available for the device.
    """

    def __init__(
        self,
        settings: DetectorSettings | None = None,
        *,
        device: str | torch.device = "cpu",
        weights: dict[str, Tensor] | None = None,
        runtime: RuntimeName | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or DetectorSettings()
        self.device = torch.device(device)
        self.pnet, self.rnet, self.onet = PNet(), RNet(), ONet()
        self.load_state_dict(load_mtcnn_weights() if weights is None else weights)
        self.requires_grad_(False)
        self.to(device=self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]  # stub lacks it
        keep_freed_memory(SPARE_BYTES)
        name = runtime or choose_runtime(self.device)
        networks = make_runtime(name, self.pnet, self.rnet, self.onet, self.device)
        self._scanner = PyramidScanner(
            networks.propose,
            min_face=self.settings.min_face,
            factor=self.settings.factor,
            threshold=self.settings.thresholds[0],
        )
        of_rnet, of_onet = networks.chunks
        self.r_reader = CropReader(networks.refine, side=24, size=of_rnet, columns=5)
        self.o_reader = CropReader(networks.decide, side=48, size=of_onet, columns=15)

    def detect(self, images: Sequence[Pixels]) -> list[Faces]:
        """Return the faces in images uint8 (H, W, 3) RGB of any size; none if a side is below `min_face`."""
        return [faces for group in _groups(images) for faces in self._detect(group)]

    def _detect(self, images: Sequence[Pixels]) -> list[Faces]:
        factors = [-(-max(image.shape[:2]) // self.settings.max_side) for image in images]
        integrals = IntegralImages([_reduced(image, k) for image, k in zip(images, factors, strict=True)])
        candidates = _propose(self._scanner.scan(integrals, factors))
        candidates = self._refine(*self.r_reader.read(integrals, candidates))
        faces = self._decide(*self.o_reader.read(integrals, candidates), len(images))
        return [f if k == 1 else f.scaled(k) for f, k in zip(faces, factors, strict=True)]

    def _refine(self, candidates: Candidates, reading: Reading) -> Candidates:
        """Return square boxes around the faces that R-Net accepts: suppressed first, then regressed."""
        passed = np.flatnonzero(reading.scores > self.settings.thresholds[1])
        boxes, images = candidates.take(passed)
        kept = passed[geometry.suppress(boxes, reading.scores[passed], STAGE_OVERLAP, "union", groups=images)]
        moved = geometry.regress(candidates.boxes[kept], reading.offsets[kept], inclusive=True)
        return Candidates(geometry.square(moved), candidates.images[kept])

    def _decide(self, candidates: Candidates, reading: Reading, count: int) -> list[Faces]:
        """Return the faces that O-Net accepts per image: regressed first, then suppressed by smaller area."""
        passed = np.flatnonzero(reading.scores > self.settings.thresholds[2])
        boxes, images = candidates.take(passed)
        points = reading.landmarks[passed].reshape(-1, 2, 5).swapaxes(1, 2)  # fractions of the box
        frame = geometry.half_open(boxes)[:, None]
        landmarks = points * (frame[..., 2:] - frame[..., :2]) + frame[..., :2]
        boxes = geometry.half_open(geometry.regress(boxes, reading.offsets[passed], inclusive=True))
        solid = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))  # offsets can turn a box inside out
        scores, of_solid = reading.scores[passed], images[solid]
        kept = solid[geometry.suppress(boxes[solid], scores[solid], STAGE_OVERLAP, "min", groups=of_solid)]
        ends = np.searchsorted(images[kept], np.arange(count + 1))
        return [Faces(boxes[k], scores[k], landmarks[k]) for k in (kept[i:j] for i, j in pairwise(ends))]


def _propose(windows: Windows) -> Candidates:
    """Return square boxes around the faces that P-Net proposes, suppressed per level, then across levels."""
    boxes, scores, offsets, levels, images = windows
    groups = images * (levels.max(initial=0) + 1) + levels
    kept = geometry.suppress(boxes, scores, LEVEL_OVERLAP, "union", groups=groups)
    kept = kept[geometry.suppress(boxes[kept], scores[kept], STAGE_OVERLAP, "union", groups=images[kept])]
    moved = geometry.regress(boxes[kept], offsets[kept], inclusive=False)
    return Candidates(geometry.square(moved), images[kept])


def _groups(images: Sequence[Pixels]) -> Iterator[list[Pixels]]:
    """Split a batch into groups of at most GROUP_PIXELS, or of a single larger image."""
    group: list[Pixels] = []
    pixels = 0
    for image in images:
        count = image.shape[0] * image.shape[1]
        if group and pixels + count > GROUP_PIXELS:
            yield group
            group, pixels = [], 0
        group.append(image)
        pixels += count
    if group:
        yield group


def _reduced(image: Pixels, factor: int) -> Pixels:
    return image if factor == 1 else np.asarray(Image.fromarray(image).reduce(factor))
