"""From photos to embeddings: the whole inference pipeline of one model folder, as a server needs it."""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from facenet.answers import Answer, entry
from facenet.detection import (
    DEFAULT_TEMPLATE,
    MTCNN,
    AlignedFace,
    CropSettings,
    DetectorSettings,
    FaceAligner,
    save_mtcnn_weights,
)
from facenet.devices import resolve_device
from facenet.embedder import Embedder, load_embedder
from facenet.errors import ImageRejected, WeightsInvalid
from facenet.images import MAX_PIXELS, ImageFormat, decode, encode
from facenet.matching import Matcher
from facenet.model import ModelCard

WEIGHTS = "facenet.safetensors"
CARD = "model.json"
DETECTOR = "mtcnn.safetensors"
CALIBRATION = "calibration.json"  # written by the evaluation; missing for a model that was not evaluated
PHOTOS = 16  # decoded photos in memory at once


class FaceEmbedder:
    """Detects the face in a photo, crops it as the model's training faces were, and embeds it.

    Args:
        aligner: detects and crops the face.
        embedder: embeds it.
        stored_as: the pipeline's storage format; "jpeg" applies the same compression loss here.
        max_pixels: larger photos are rejected before decoding.
        matcher: decides whether two faces show the same person; None for a model that was not evaluated.
    """

    def __init__(
        self,
        aligner: FaceAligner,
        embedder: Embedder,
        *,
        stored_as: ImageFormat = "webp",
        max_pixels: int = MAX_PIXELS,
        matcher: Matcher | None = None,
    ) -> None:
        self._aligner, self._embedder, self._matcher = aligner, embedder, matcher
        self._stored_as, self._max_pixels = stored_as, max_pixels

    @classmethod
    def load(
        cls, folder: Path, *, device: str = "cpu", batch_size: int = 1, max_pixels: int = MAX_PIXELS
    ) -> Self:
        """Return the embedder of a folder with facenet.safetensors, model.json and mtcnn.safetensors.

        device: a torch device, or "auto" for the best available one.
        batch_size: faces embedded at once; 1 has the lowest latency, more a higher throughput.

        Raises:
            WeightsInvalid: a file is missing or invalid, or the weights do not match the card.
        """
        chosen = resolve_device(device)
        embedder, card = load_embedder(folder / WEIGHTS, folder / CARD, device=chosen, batch_size=batch_size)
        return cls(
            _aligner(card, folder / DETECTOR, chosen),
            embedder,
            stored_as=card.align["image_format"],
            max_pixels=max_pixels,
            matcher=_matcher(folder / CALIBRATION, card),
        )

    def embed(self, photos: Sequence[bytes | str]) -> list[dict[str, Any]]:
        """Return one entry per photo, given as the bytes of its file or their base64 (or a data: URL).

        All entries have the same keys; values are plain Python, coordinates are pixels of the upright photo:

        embedding: E floats; L2-normalised unless the network's variant returns raw ones (siamese, faithful).
        box: x0, y0, x1, y1.
        probability: of the face, 0 to 1.
        landmarks: 5 pairs x, y: eyes, nose, mouth corners, the left one in the image first; None without a
            face.
        faces_found: number of detected faces; the one to embed is selected as in the pipeline.
        fallback: True if no face was found and the centre of the photo was embedded, as in the evaluation.
        error: None, or why the photo could not be read; all else is then None. Other photos are unaffected.
        """
        entries: list[dict[str, Any]] = []
        for start in range(0, len(photos), PHOTOS):
            entries += self._embed_some(photos[start : start + PHOTOS])
        return entries

    def verify(
        self, left: bytes | str, right: bytes | str, *, far: float | None = None, prior: float = 0.5
    ) -> dict[str, Any]:
        """Return whether two photos, as for `embed`, show the same person, by the model's calibration.

        match: whether the distance is below the threshold; False if there is an error.
        distance, threshold.
        probability: of a match, if a fraction `prior` of all comparisons are matches.
        supported: whether the evaluation had enough people for the threshold.
        reason: None, or why it is not supported; threshold and probability may then be far off.
        left, right: the entry of each photo as from `embed`, without embedding and landmarks: whether a face
            was found, how many, and the detector's probability.
        error: None, or why a photo is unreadable or shows no face; distance and probability are then None.

        Args:
            left: the first photo.
            right: the second photo.
            far: the target false accept rate, one of those in calibration.json; None: the default threshold.
            prior: in (0, 1).

        Raises:
            WeightsInvalid: the model was not evaluated.
            ValueError: no threshold was measured for `far`, or the evaluation had too few people.
        """
        if self._matcher is None:
            raise WeightsInvalid(f"The model has no {CALIBRATION}. Run `dvc repro evaluate` and register it.")
        answer = Answer(self._matcher, far=far, prior=prior)
        faces = self._align([left, right])
        if error := answer.error(faces):
            return answer.without_match(faces, error)
        pixels = np.stack([self._as_stored(face.image) for face in faces if isinstance(face, AlignedFace)])
        embedded, mirrored = self._embedder.embed(pixels), None
        if self._matcher.flip != "none":
            flipped = self._embedder.embed_flipped(pixels)
            mirrored = flipped[:1], flipped[1:]
        return answer.of(faces, self._matcher.distances(embedded[:1], embedded[1:], mirrored))

    def _embed_some(self, photos: Sequence[bytes | str]) -> list[dict[str, Any]]:
        faces = self._align(photos)
        images = [self._as_stored(face.image) for face in faces if isinstance(face, AlignedFace)]
        embeddings = iter(self._embedder.embed(np.stack(images)) if images else ())
        return [entry(face, None if isinstance(face, ImageRejected) else next(embeddings)) for face in faces]

    def _align(self, photos: Sequence[bytes | str]) -> list[AlignedFace | ImageRejected]:
        decoded = [self._decode(photo) for photo in photos]
        images = [pixels for pixels in decoded if not isinstance(pixels, ImageRejected)]
        faces = iter(self._aligner.align(images) if images else ())
        return [pixels if isinstance(pixels, ImageRejected) else next(faces) for pixels in decoded]

    def _decode(self, photo: bytes | str) -> NDArray[np.uint8] | ImageRejected:
        try:
            return decode(_file_bytes(photo), max_pixels=self._max_pixels)
        except ImageRejected as rejected:
            return rejected

    def _as_stored(self, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return decode(encode(face, "jpeg")) if self._stored_as == "jpeg" else face


def save_detector(folder: Path) -> Path:
    """Write the detector's weights to `folder` in the form that `FaceEmbedder.load` reads; return the file.

    A model that includes them can be served without the mtcnn package.
    """
    save_mtcnn_weights(folder / DETECTOR)
    return folder / DETECTOR


def _matcher(path: Path, card: ModelCard) -> Matcher | None:
    if not path.exists():
        return None
    matcher = Matcher.read(path)
    matcher.check(card.weights_sha256)
    return matcher


def _aligner(card: ModelCard, weights: Path, device: torch.device) -> FaceAligner:
    align = card.align
    detector = DetectorSettings(
        min_face=align["min_face"],
        thresholds=tuple(align["thresholds"]),
        factor=align["factor"],
        max_side=align["max_side"],
    )
    crop = CropSettings(
        method=align["method"],
        image_size=align["image_size"],
        margin=align["margin"],
        margin_in=align["margin_in"],
        template=align.get("template", DEFAULT_TEMPLATE),
    )
    if crop.method == "none":
        return FaceAligner(None, align["selection"], crop)
    return FaceAligner(MTCNN(detector, device=device, weights=_detector(weights)), align["selection"], crop)


def _detector(path: Path) -> dict[str, torch.Tensor]:
    """Return the detector's weights, or raise WeightsInvalid."""
    try:
        weights: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsInvalid(
            f"{path} is not a valid detector file: {error}. Load the folder `artifacts` of a registered "
            "model, or write the file with facenet.serving.save_detector."
        ) from error
    return weights


def _file_bytes(photo: bytes | str) -> bytes:
    if isinstance(photo, bytes):
        return photo
    if not isinstance(photo, str):
        raise ImageRejected(
            "unsupported", f"a photo must be bytes or base64 text, not {type(photo).__name__}"
        )
    text = photo.partition(",")[2] if photo.startswith("data:") else photo
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageRejected("corrupt", f"the text is not valid base64: {error}") from error
