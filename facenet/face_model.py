"""FaceModel: from photos to answers, with exactly the processing that the model was evaluated with."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Semaphore
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from facenet.answers import Verifier, face_of, faces_of
from facenet.cores import cores
from facenet.detection import AlignedFace, Faces, align_faces
from facenet.errors import ImageRejected, WeightsInvalid
from facenet.images import MAX_PIXELS, decode, encode
from facenet.matching import Matcher
from facenet.model import CALIBRATION
from facenet.model_folder import ModelParts, load_parts, model_digest, template_size
from facenet.model_source import model_folder
from facenet.photos import Photo, photo_key, pixel_groups
from facenet.quality import measure_quality
from facenet.registry import RegisteredVersion
from facenet.results import Face, PhotoError, Verification

Pixels = NDArray[np.uint8]
NO_FACE = PhotoError("no_face", "no face was found")


class FaceModel:
    """Detects, embeds and compares the faces in photos.

    A photo is a path, the bytes of a file, a Pillow image or a uint8 RGB array (H, W, 3). Files and images
    are turned by their EXIF orientation. Anything else raises a TypeError. All methods can be called from
    several threads at once and then answer as they do from one. The last bits of a template depend on how
    many faces are embedded at once, as the kernels of the libraries do.

    Args:
        parts: of the model.
        origin: where it comes from, printable.
        place: the registered version or the absolute folder that it comes from, if any.
        max_pixels: larger photos are rejected before decoding.

    Attributes:
        origin, place: where the model comes from.
        digest: sha256 in hexadecimal; two models of one digest have comparable templates.
        card: the model card.
        matcher: the calibration, that of the site if there is one; None for a model that was not evaluated.
        site: the site calibration, if any; `evaluation` is then the calibration that it replaces.
        template_size: D of the (D,) templates; 0 if the model was not evaluated.
        reference: what monitoring compares with; None for a model evaluated by an earlier version.
    """

    def __init__(
        self,
        parts: ModelParts,
        *,
        origin: str,
        place: RegisteredVersion | Path | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.origin, self.place = origin, place
        self.card, self.matcher = parts.card, parts.matcher
        self.site, self.reference, self.evaluation = parts.site, parts.reference, parts.evaluated
        self.digest = model_digest(parts.card, parts.matcher)
        self.template_size = template_size(parts.card, parts.matcher)
        self._aligner, self._embedder = parts.aligner, parts.embedder
        self._as_jpeg = parts.card.align["image_format"] == "jpeg"
        self._max_pixels = max_pixels
        # A batch keeps as many cores busy as torch has threads: more at once would compete for them.
        self._embedding = Semaphore(max(1, cores() // torch.get_num_threads()))

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        *,
        device: str = "auto",
        runtime: str = "torch",
        batch_size: int = 32,
        max_pixels: int = MAX_PIXELS,
        site: str | Path | bool = True,
    ) -> Self:
        """Return a model.

        Args:
            source: "models:/facenet@champion" or "models:/facenet/3": a version in an MLflow registry; a
                folder: the artifacts of a version, or a workspace's models/; "pretrained": dlib's ResNet;
                None: the champion, without one the workspace's models/, without that the pretrained model.
            device: a torch device, or "auto" for the best available one.
            runtime: of the embedding network: "torch", or "onnx" or "openvino" on the CPU in float32, which
                read an exported folder or export the model once into the user's cache; "auto": OpenVINO if
                it is installed with the extra `export` and computes what torch would, torch otherwise.
            batch_size: maximum number of faces embedded at once; fewer are not padded to it.
            max_pixels: larger photos are rejected before decoding.
            site: file of a site calibration by `facenet calibrate`; True: that stored with the model, if any;
                False: none.

        Raises:
            SourceInvalid: the registry has no such version, or cannot be used.
            WeightsInvalid: a file is missing or invalid, or the files belong to different models.
            ParamsInvalid: the device is not available, the runtime unknown or not able to use the device.
            PackageMissing: a package that the runtime needs is not installed.
        """
        with model_folder(source) as (folder, origin):
            parts = load_parts(folder, device=device, batch_size=batch_size, runtime=runtime, site=site)
        return cls(parts, origin=origin.words, place=origin.place, max_pixels=max_pixels)

    def __repr__(self) -> str:
        network = self.card.network
        return f"FaceModel({self.origin!r}, {network.name}, {network.embedding_size}, {self.digest[:12]})"

    def detect(self, photos: Iterable[Photo]) -> list[list[Face] | PhotoError]:
        """Return for each photo its faces, most probable first, without template and quality."""
        answers: list[list[Face] | PhotoError] = []
        for group in self._groups(photos):
            found = iter(
                self._aligner.find([pixels for pixels in group if not isinstance(pixels, PhotoError)])
            )
            answers += [p if isinstance(p, PhotoError) else faces_of(next(found)) for p in group]
        return answers

    def faces(self, photo: Photo) -> list[Face]:
        """Return every face of a photo, most probable first, with template and quality.

        Raises:
            ImageRejected: the photo cannot be read.
        """
        (answer,) = self.faces_of([photo])
        if isinstance(answer, PhotoError):
            raise ImageRejected(answer.reason, answer.message)
        return answer

    def faces_of(
        self, photos: Iterable[Photo], *, max_faces: int | None = None
    ) -> list[list[Face] | PhotoError]:
        """Return for each photo what `faces` returns, or why it cannot be used.

        Args:
            photos: of any kinds.
            max_faces: a photo with more is the error `too_many_faces`, and they are not embedded.
        """
        answers: list[list[Face] | PhotoError] = []
        for group in self._groups(photos):
            readable = [pixels for pixels in group if not isinstance(pixels, PhotoError)]
            found = iter(zip(readable, self._aligner.find(readable), strict=True))
            aligned = [
                p if isinstance(p, PhotoError) else self._aligned(*next(found), max_faces) for p in group
            ]
            embedded = iter(
                self._embedded([f for fs in aligned if not isinstance(fs, PhotoError) for f in fs])
            )
            answers += [fs if isinstance(fs, PhotoError) else [next(embedded) for _ in fs] for fs in aligned]
        return answers

    def embed(self, photos: Iterable[Photo], *, fallback: bool = False) -> list[Face | PhotoError]:
        """Return for each photo the face that the pipeline would select, or why there is none.

        Args:
            photos: of any kinds.
            fallback: return the centre of a photo in which no face was found, as the evaluation embeds it,
                with `fallback` set, instead of the error `no_face`.
        """
        answers: list[Face | PhotoError] = []
        for group in self._groups(photos):
            found = iter(self._aligner.align([p for p in group if not isinstance(p, PhotoError)]))
            aligned: list[AlignedFace | PhotoError] = []
            for pixels in group:
                face = pixels if isinstance(pixels, PhotoError) else next(found)
                usable = isinstance(face, PhotoError) or fallback or not face.fallback
                aligned.append(face if usable else NO_FACE)
            embedded = iter(self._embedded([face for face in aligned if not isinstance(face, PhotoError)]))
            answers += [face if isinstance(face, PhotoError) else next(embedded) for face in aligned]
        return answers

    def verify(
        self, left: Photo, right: Photo, *, far: float | None = None, prior: float = 0.5
    ) -> Verification:
        """Return whether two photos show the same person; arguments and errors as for `compare`."""
        return self.compare([(left, right)], far=far, prior=prior)[0]

    def compare(
        self, pairs: Iterable[tuple[Photo, Photo]], *, far: float | None = None, prior: float = 0.5
    ) -> list[Verification]:
        """Return for each pair whether its photos show the same person; each photo is embedded once.

        Args:
            pairs: two photos each; the face is selected as in the pipeline.
            far: the target false accept rate, one of those in calibration.json; None: the default threshold.
            prior: the expected fraction of pairs that match, in (0, 1).

        Raises:
            WeightsInvalid: the model was not evaluated.
            ValueError: no threshold was measured for `far`, or the evaluation had too few people.
            ParamsInvalid: `prior` is out of range.
        """
        verifier = Verifier(self._evaluated(), far=far, prior=prior)
        asked = list(pairs)
        photos = {photo_key(photo): photo for pair in asked for photo in pair}
        answers = dict(zip(photos, self.embed(photos.values()), strict=True))
        return verifier.answers([(answers[photo_key(a)], answers[photo_key(b)]) for a, b in asked])

    def _evaluated(self) -> Matcher:
        if self.matcher is None:
            raise WeightsInvalid(
                f"The model of {self.origin} has no {CALIBRATION}, so it cannot decide. Run `dvc repro "
                "evaluate`, and `dvc repro register` for a registered model."
            )
        return self.matcher

    def _groups(self, photos: Iterable[Photo]) -> Iterator[list[Pixels | PhotoError]]:
        return pixel_groups(photos, size=self._embedder.batch_size, max_pixels=self._max_pixels)

    def _aligned(self, pixels: Pixels, faces: Faces, max_faces: int | None) -> list[AlignedFace] | PhotoError:
        if max_faces is not None and len(faces) > max_faces:
            return PhotoError("too_many_faces", f"{len(faces)} faces, more than {max_faces}")
        return align_faces(pixels, faces, self._aligner.crop)

    def _embedded(self, faces: Sequence[AlignedFace]) -> list[Face]:
        """Return the faces with embedding, template and quality."""
        if not faces:
            return []
        images = np.stack([self._as_stored(face.image) for face in faces])
        flipped = self.matcher is not None and self.matcher.flip != "none"
        with self._embedding:
            embeddings, mirrored = (
                self._embedder.embed_both(images) if flipped else (self._embedder.embed(images), None)
            )
        templates = (
            [None] * len(faces) if self.matcher is None else self.matcher.templates(embeddings, mirrored)
        )
        found = []
        for face, image, embedding, template in zip(faces, images, embeddings, templates, strict=True):
            plain = face_of(face)
            side = min(plain.box[2] - plain.box[0], plain.box[3] - plain.box[1])
            quality = measure_quality(image, side)
            found.append(replace(plain, embedding=embedding, template=template, quality=quality))
        return found

    def _as_stored(self, face: Pixels) -> Pixels:
        """Return a face with the loss of the format in which the pipeline stores it."""
        return decode(encode(face, "jpeg")) if self._as_jpeg else face
