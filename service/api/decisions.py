"""The decisions of this server, logged for monitoring: measures of the faces, never who they are."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from facenet.face_model import FaceModel
from facenet.identification.identifier import Identification
from facenet.results import Face, PhotoError, Verification
from tasks.monitoring.rows import (
    DecisionRow,
    Kind,
    face_row,
    failure_row,
    identification_row,
    main_face,
    verification_row,
)
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.writer import DecisionLog

NOTHING_FOUND = PhotoError("no_face", "no face was found")


class Stopwatch:
    """Measures the time of an answer."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def milliseconds(self) -> float:
        """Since it was created."""
        return round(1000 * (time.perf_counter() - self._began), 3)


class Decisions:
    """Logs what the operations answer; returns at once and never fails because of the log.

    Args:
        log: where to; None: nowhere.
        site: in every row; None: the name of the model's site calibration.
        open_store: opens the log to read it; None: there is none.
    """

    def __init__(
        self,
        log: DecisionLog | None = None,
        site: str | None = None,
        open_store: Callable[[], DecisionStore] | None = None,
    ) -> None:
        self._log, self._site, self._open_store = log, site, open_store

    def start(self) -> None:
        """Begin to write."""
        if self._log is not None:
            self._log.start()

    def close(self) -> None:
        """Write what waits."""
        if self._log is not None:
            self._log.close()

    def count_dropped(self, count: Callable[[int], None]) -> None:
        """Call `count` with the number of rows whenever some are dropped."""
        if self._log is not None:
            self._log.on_drop = count

    def reports(self, days: int) -> list[dict[str, Any]] | None:
        """Return the reports of the last days that monitoring has checked, newest first; None without a log.

        Raises:
            StorageFailed: the log cannot be read.
        """
        if self._open_store is None:
            return None
        store = self._open_store()
        try:
            return store.reports(days)
        finally:
            store.close()

    def verified(self, model: FaceModel, answer: Verification, took: Stopwatch) -> None:
        """Log a verification."""
        self._add([verification_row(model, answer, site=self._site, latency=took.milliseconds)])

    def failed(self, model: FaceModel, error: PhotoError, kind: Kind, took: Stopwatch) -> None:
        """Log a photo that cannot be decided on."""
        self._add([failure_row(model, error, kind=kind, site=self._site, latency=took.milliseconds)])

    def identified(
        self, model: FaceModel, faces: Sequence[Face], found: Sequence[Identification], took: Stopwatch
    ) -> None:
        """Log who the faces of a photo show, without names; a photo without faces is logged as such."""
        if not faces:
            self.failed(model, NOTHING_FOUND, "identify", took)
            return
        main, latency = main_face(faces), took.milliseconds
        self._add(
            [
                identification_row(model, face, answer, main=place == main, site=self._site, latency=latency)
                for place, (face, answer) in enumerate(zip(faces, found, strict=True))
            ]
        )

    def embedded(self, model: FaceModel, photos: Sequence[list[Face] | PhotoError], took: Stopwatch) -> None:
        """Log the faces of photos that were only embedded."""
        latency, rows = took.milliseconds, []
        for faces in photos:
            if isinstance(faces, PhotoError) or not faces:
                error = faces if isinstance(faces, PhotoError) else NOTHING_FOUND
                rows.append(failure_row(model, error, kind="embed", site=self._site, latency=latency))
                continue
            main = main_face(faces)
            rows += [
                face_row(model, face, main=place == main, site=self._site, latency=latency)
                for place, face in enumerate(faces)
            ]
        self._add(rows)

    def _add(self, rows: Sequence[DecisionRow]) -> None:
        if self._log is not None:
            self._log.add(rows)
