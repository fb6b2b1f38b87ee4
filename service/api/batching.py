"""The threads that run the model, each on the photos of several requests that wait at the same time.

A request that finds a thread idle is served at once. Those that arrive meanwhile wait, and are then embedded
by one call: networks are faster on a batch than on the same photos one by one. The detector runs on one core,
so that one thread for each core is needed to use all of them.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from facenet.face_model import FaceModel
from facenet.results import Face, PhotoError
from service.api.metrics import Metrics
from service.api.problems import busy

Faces = list[Face] | PhotoError
BATCH = 8  # photos in one call of the model: more are hardly faster, and would leave other threads idle
LINGER_SECONDS = 0.005


@dataclass(frozen=True)
class Answered:
    """The faces of a request's photos: the selected one or all of each; model: that found them."""

    model: FaceModel
    faces: Sequence[Faces]


@dataclass(frozen=True, eq=False)
class _Job:
    photos: Sequence[bytes]
    every: bool
    result: Future[Answered] = field(default_factory=Future)


class Batcher:
    """Runs the model for many requests.

    Args:
        model: returns the model in use; it is called for each batch, so that a new one is used from the next.
        waiting: photos that may wait.
        faces: of one photo; one with more is refused.
        threads: that run the model.
        metrics: counts batches.
    """

    def __init__(
        self, model: Callable[[], FaceModel], *, waiting: int, faces: int, threads: int, metrics: Metrics
    ) -> None:
        self._model, self._limit, self._max_faces, self._metrics = model, waiting, faces, metrics
        self._jobs: deque[_Job] = deque()
        self._waiting = 0  # photos
        self._working = 0  # threads
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"model {number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, photos: Sequence[bytes], *, every: bool) -> Future[Answered]:
        """Return a future for the faces of photos; every: all of each photo instead of the selected one.

        Raises:
            Problem: 429 if too many photos wait.
        """
        job = _Job(photos, every)
        with self._changed:
            if self._closed or self._waiting + len(photos) > self._limit:
                self._metrics.refused.labels("waiting").inc()
                raise busy("busy", "Too many photos wait for the model. Send the request again later.")
            self._jobs.append(job)
            self._waiting += len(photos)
            self._changed.notify()
        return job.result

    def close(self) -> None:
        """Answer what waits, and end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while jobs := self._next():
            with self._changed:
                self._working += 1
            for every in (False, True):
                if chosen := [job for job in jobs if job.every is every]:
                    self._answer(chosen, every=every)
            with self._changed:
                self._working -= 1

    def _next(self) -> list[_Job]:
        """Wait for jobs, and take as many as fit into a batch; none when closed.

        While another thread works, the clients that it has answered are about to send their next requests:
        waiting a moment for a full batch then costs less than a small one does.
        """
        taken: list[_Job] = []
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            if self._working:
                self._changed.wait_for(lambda: self._waiting >= BATCH or self._closed, LINGER_SECONDS)
            count = 0
            while self._jobs and (not taken or count + len(self._jobs[0].photos) <= BATCH):
                taken.append(self._jobs.popleft())
                count += len(taken[-1].photos)
            self._waiting -= count
            if self._jobs:
                self._changed.notify()  # for another thread
            return taken if taken or self._closed else self._next()

    def _answer(self, jobs: Sequence[_Job], *, every: bool) -> None:
        """Answer jobs by one call; if it fails, each by its own, so that a failure affects one request."""
        photos = [photo for job in jobs for photo in job.photos]
        try:
            model = self._model()
            found = iter(self._faces(model, photos, every=every))
        except Exception as error:  # noqa: BLE001  # the request gets it
            if len(jobs) == 1:
                _finish(jobs[0], error)
                return
            for job in jobs:
                self._answer([job], every=every)
            return
        self._metrics.batch.observe(len(photos))
        for job in jobs:
            _finish(job, Answered(model, [next(found) for _ in job.photos]))

    def _faces(self, model: FaceModel, photos: Sequence[bytes], *, every: bool) -> list[Faces]:
        if every:
            return model.faces_of(photos, max_faces=self._max_faces)
        return [face if isinstance(face, PhotoError) else [face] for face in model.embed(photos)]


def _finish(job: _Job, outcome: Answered | Exception) -> None:
    """Give a request its answer, unless it has been given up."""
    if not job.result.set_running_or_notify_cancel():
        return
    if isinstance(outcome, Exception):
        job.result.set_exception(outcome)
    else:
        job.result.set_result(outcome)
