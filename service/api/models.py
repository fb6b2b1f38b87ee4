"""The model in use, loaded in the background, and replaced when there is a new champion."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facenet.errors import FaceNetError
from facenet.face_model import FaceModel
from facenet.model_source import CHAMPION
from facenet.registry import SCHEME, find_version, store_uri
from facenet.results import PhotoError
from service.api.json_log import FIELDS, described
from service.api.metrics import Metrics
from service.api.problems import Problem

LOG = logging.getLogger("facenet.service")
CHECK_SECONDS = 10.0
RETRY_SECONDS = 300.0  # a model that failed is loaded again: the registry may have been away
PROBE_SIDE = 160  # pixels
FAILED = "The model cannot be loaded; the server's log has the place."


@dataclass(frozen=True)
class Source:
    """Where the model comes from.

    load: returns the current model. identify: returns a value that changes with the model, such as the
    version that an alias names; None if the model never changes.
    """

    load: Callable[[], FaceModel]
    identify: Callable[[], str] | None = None


def source_of(
    name: str | Path | None, *, max_pixels: int, runtime: str = "auto", site: str | bool = True
) -> Source:
    """Return the source of what FaceModel.load accepts; an alias, and the default champion, are followed.

    max_pixels: larger photos are rejected before decoding. runtime: of the embedding network. site:
    as FaceModel.load takes it; a champion that it does not belong to is not taken over.
    """
    uri = CHAMPION if name is None else str(name)

    def load() -> FaceModel:
        return FaceModel.load(name, max_pixels=max_pixels, runtime=runtime, site=site)

    def identify() -> str:
        return str(find_version(uri)) if store_uri() else ""

    return Source(load, identify if uri.startswith(SCHEME) and "@" in uri else None)


class Models:
    """Loads the model of a source, and follows the source: load, try, swap.

    A request always has one model: the old one, which stays until the new one has answered a probe.

    Args:
        source: where the model comes from.
        metrics: shows the model in use.
        check_seconds: between checks of the source.
        retry_seconds: between attempts to load a model that failed, while another one is in use.
    """

    def __init__(
        self,
        source: Source,
        *,
        metrics: Metrics,
        check_seconds: float = CHECK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._source, self._metrics = source, metrics
        self._seconds, self._retry_seconds = check_seconds, retry_seconds
        self._model: FaceModel | None = None
        self._identity: str | None = None
        self._failed: str | None = None  # identity that could not be used
        self._retry_at = 0.0
        self._missing = "The model is being loaded."
        self._complaint = ""  # the last one in the log
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._end.set()
        self._thread.join()

    def model(self) -> FaceModel:
        """Return the model in use.

        Raises:
            Problem: 503, while none is loaded.
        """
        if self._model is None:
            raise Problem(503, "not_ready", self._missing, headers={"Retry-After": "1"})
        return self._model

    def missing(self) -> str | None:
        """Return why no model is in use; None if one is."""
        return None if self._model is not None else self._missing

    def _run(self) -> None:
        self._update()
        while not self._end.wait(self._seconds):
            if self._model is None or self._source.identify is not None:
                self._update()

    def _update(self) -> None:
        """Load the current model if it has changed; keep the old one if that fails."""
        identity = None
        try:
            identity = self._source.identify() if self._source.identify else None
            if self._model is not None and not self._is_due(identity):
                return
            model = self._source.load()
            probe(model)
        except Exception as error:  # noqa: BLE001  # a broken champion must not end the server
            self._failed, self._retry_at = identity, time.monotonic() + self._retry_seconds
            self._missing = (
                f"The model cannot be loaded: {error}" if isinstance(error, FaceNetError) else FAILED
            )
            self._complain(error)
            return
        self._swap(model, identity)

    def _is_due(self, identity: str | None) -> bool:
        """Return whether to load the current model: it has changed, and has not just failed."""
        if identity == self._identity:
            return False
        return identity != self._failed or time.monotonic() >= self._retry_at

    def _complain(self, error: Exception) -> None:
        """Log a failure, once while it stays the same."""
        if self._complaint != (complaint := f"{type(error).__name__}: {error}"):
            self._complaint = complaint
            message = str(error) if isinstance(error, FaceNetError) else ""
            LOG.warning("model not loaded", extra={FIELDS: {"message": message, **described(error)}})

    def _swap(self, model: FaceModel, identity: str | None) -> None:
        if self._model is not None:
            self._metrics.model.remove(self._model.digest)
        self._model, self._identity, self._failed = model, identity, None
        self._complaint = ""
        self._metrics.model.labels(model.digest).set(1)
        fields = {"origin": model.origin, "digest": model.digest}
        site = {} if model.site is None else {"site": str(model.site)}
        LOG.info("model loaded", extra={FIELDS: {**fields, **site}})


def probe(model: FaceModel) -> None:
    """Embed a photo, and raise WeightsInvalid if the answer is not finite; the first call also compiles."""
    gradient = np.linspace(0, 255, PROBE_SIDE, dtype=np.uint8)
    photo = np.broadcast_to(gradient[:, None, None], (PROBE_SIDE, PROBE_SIDE, 3)).copy()
    (face,) = model.embed([photo], fallback=True)
    if isinstance(face, PhotoError) or face.embedding is None or not np.isfinite(face.embedding).all():
        raise FaceNetError(f"The model of {model.origin} gives no embedding for a probe.")
