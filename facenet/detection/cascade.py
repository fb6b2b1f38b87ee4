"""The cascade of MTCNN: P-Net proposes, R-Net refines, O-Net decides and places landmarks.

Zhang et al., IEEE SPL 23(10), 2016. Where davidsandberg/facenet and facenet-pytorch differ we follow the
latter, so that boxes agree with it: sizes of levels and area means (`pyramid`), clipped crops (`boxes.clip`),
Union suppression without the extra pixel (`boxes.overlaps`), boxes kept in floating point between stages and
truncated for cropping only. Unlike it, a small image has no face instead of raising, a box outside the image
is dropped without shifting the results of the others, and boxes come out half open and counted from 0
(`boxes.half_open`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from facenet.detection import boxes as geometry
from facenet.detection.faces import Faces
from facenet.detection.integral import Floats, Indices, IntegralImage, Pixels
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.pyramid import STRIDE, WINDOW, Canvas, canvases
from facenet.detection.reader import CropReader, Reading, standardised
from facenet.detection.weights import load_mtcnn_weights
from facenet.errors import ParamsInvalid

LEVEL_OVERLAP, STAGE_OVERLAP = 0.5, 0.7  # allowed within a level of the pyramid, and after every stage
# Crops per call of R-Net and O-Net. On a CPU the largest layer, 1 MB, then stays in the second-level cache.
CPU_CHUNKS, ACCELERATOR_CHUNKS = (16, 4), (1024, 256)
SPARE_BYTES = 31 * 2**20  # below glibc's largest dynamic threshold, 32 MB
GROUP_PIXELS = 2**23  # of the images searched at a time, if not of one alone: running sums of 128 MB


@dataclass(frozen=True)
class DetectorSettings:
    """What counts as a face.

    min_face: shortest side of a face in source pixels, at least 12.
    thresholds: least probability for P-Net (reached), R-Net and O-Net (exceeded).
    factor: between the scales of the pyramid, within (0, 1).
    max_side: pixels; a longer image is searched on a copy reduced by a whole factor, where faces of less than
        12 pixels are not found. Boxes stay in source pixels.

    Raises:
        ParamsInvalid: a value is out of range.
    """

    min_face: float = 20
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    factor: float = 0.709
    max_side: int = 4096

    def __post_init__(self) -> None:
        if self.min_face < WINDOW or self.max_side < WINDOW or not 0 < self.factor < 1:
            raise ParamsInvalid(f"{self}: min_face and max_side are at least {WINDOW}, factor within (0, 1).")


class MTCNN(nn.Module):
    """The detector. An image gives the same bytes whatever comes with it in a batch.

    weights: as `load_mtcnn_weights` returns them, which is the default.
    """

    def __init__(
        self,
        settings: DetectorSettings | None = None,
        *,
        device: str | torch.device = "cpu",
        weights: dict[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or DetectorSettings()
        self.device = torch.device(device)
        self.pnet, self.rnet, self.onet = PNet(), RNet(), ONet()
        self.load_state_dict(load_mtcnn_weights() if weights is None else weights)
        self.requires_grad_(False)
        self.to(device=self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]  # stub lacks it
        sizes = CPU_CHUNKS if self.device.type == "cpu" else ACCELERATOR_CHUNKS
        _keep_freed_memory()
        self._r_reader = CropReader(self.rnet, side=24, size=sizes[0], device=self.device)
        self._o_reader = CropReader(self.onet, side=48, size=sizes[1], device=self.device)

    @torch.inference_mode()
    def detect(self, images: Sequence[Pixels]) -> list[Faces]:
        """Return the faces of images uint8 (H, W, 3) RGB of any sizes; none for one below `min_face`."""
        return [faces for group in _groups(images) for faces in self._detect(group)]

    def _detect(self, images: Sequence[Pixels]) -> list[Faces]:
        factors = [-(-max(image.shape[:2]) // self.settings.max_side) for image in images]
        integrals = [IntegralImage(_reduced(image, k)) for image, k in zip(images, factors, strict=True)]
        boxes = [self._propose(integral, k) for integral, k in zip(integrals, factors, strict=True)]
        boxes = [self._refine(*found) for found in self._r_reader.read(integrals, boxes)]
        faces = [self._decide(*found) for found in self._o_reader.read(integrals, boxes)]
        return [f if k == 1 else f.scaled(k) for f, k in zip(faces, factors, strict=True)]

    def _propose(self, integral: IntegralImage, reduction: int) -> Floats:
        """Return square boxes (F, 4) around what P-Net takes for faces on any level."""
        min_face = max(WINDOW, self.settings.min_face / reduction)
        layout = canvases(integral.height, integral.width, min_face, self.settings.factor)
        if not layout:
            return Faces().boxes
        parts = [self._windows(canvas, integral) for canvas in layout]
        boxes, scores, offsets, level = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = geometry.suppress(boxes, scores, LEVEL_OVERLAP, "union", groups=level)
        kept = kept[geometry.suppress(boxes[kept], scores[kept], STAGE_OVERLAP, "union")]
        return geometry.square(geometry.regress(boxes[kept], offsets[kept], inclusive=False))

    def _windows(self, canvas: Canvas, integral: IntegralImage) -> tuple[Floats, Floats, Floats, Indices]:
        """Return boxes, scores, offsets and number of the level of the windows that P-Net takes for faces."""
        output = self.pnet(standardised(canvas.draw(integral)[None], self.device), canvas.seams)
        scores, offsets = (x[0].cpu().numpy() for x in output)
        tile_of = np.full(scores.shape, -1)
        for number, tile in enumerate(canvas.tiles):
            tile_of[tile.windows] = number
        rows, columns = np.nonzero((scores >= self.settings.thresholds[0]) & (tile_of >= 0))
        tiles = tile_of[rows, columns]
        order = np.argsort(tiles, kind="stable")  # windows of equal score keep the order of their levels
        rows, columns, tiles = rows[order], columns[order], tiles[order]
        row, top, left, level = np.array([(t.row, t.top, t.left, t.level) for t in canvas.tiles]).T[:, tiles]
        scale = np.array([t.scale for t in canvas.tiles], np.float32)[tiles]
        boxes = geometry.generate(rows - top // STRIDE + row, columns - left // STRIDE, scale)
        return boxes, scores[rows, columns], offsets[:, rows, columns].T, level

    def _refine(self, boxes: Floats, reading: Reading) -> Floats:
        """Return square boxes (F, 4) around what R-Net takes for faces: suppressed first, then moved."""
        passed = np.flatnonzero(reading.scores > self.settings.thresholds[1])
        kept = passed[geometry.suppress(boxes[passed], reading.scores[passed], STAGE_OVERLAP, "union")]
        return geometry.square(geometry.regress(boxes[kept], reading.offsets[kept], inclusive=True))

    def _decide(self, boxes: Floats, reading: Reading) -> Faces:
        """Return what O-Net takes for faces: moved first, then suppressed by the smaller area."""
        passed = np.flatnonzero(reading.scores > self.settings.thresholds[2])
        boxes, scores = boxes[passed], reading.scores[passed]
        points = reading.landmarks[passed].reshape(-1, 2, 5).swapaxes(1, 2)  # shares of the box
        frame = geometry.half_open(boxes)[:, None]
        landmarks = points * (frame[..., 2:] - frame[..., :2]) + frame[..., :2]
        boxes = geometry.half_open(geometry.regress(boxes, reading.offsets[passed], inclusive=True))
        solid = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))  # offsets can turn a box inside out
        kept = solid[geometry.suppress(boxes[solid], scores[solid], STAGE_OVERLAP, "min")]
        return Faces(boxes[kept], scores[kept], landmarks[kept])


def _keep_freed_memory() -> None:
    """Let glibc keep what the networks free, for the next photo: mapping it anew took a tenth of the time.

    Freeing a mapped block of less than 32 MB makes it hold on to twice as much (mallopt(3), dynamic mmap
    threshold). The block is never touched. Other allocators take no notice.
    """
    torch.empty(SPARE_BYTES, dtype=torch.uint8)


def _groups(images: Sequence[Pixels]) -> Iterator[list[Pixels]]:
    """Cut a batch so that a group has at most GROUP_PIXELS, or is one image."""
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
