"""The threads that run the model, each on photos that wait at the same time, of one request or of several.

What waits is divided among the threads that are idle, so that a single request of two photos uses two cores.
Photos that arrive while all are busy wait, and are then embedded by one call: networks are faster on a batch
than on the same photos one by one. The detector runs on one core, so that one thread for each core is needed
to use all of them.
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
# Photos in one call of the model. More are hardly faster, and would leave nothing for the other threads:
# clients that have been answered need a few milliseconds to send their next requests.
BATCH = 4


@dataclass(frozen=True)
class Answered:
    """The faces of a request's photos: the selected one or all of each; model: that found them."""

    model: FaceModel
    faces: Sequence[Faces]


@dataclass(frozen=True, eq=False)
class _Request:
    """model: of all its photos, even if there is a new champion before the last one is embedded."""

    model: FaceModel
    every: bool
    size: int
    faces: dict[int, Faces] = field(default_factory=dict)  # by number of the photo
    result: Future[Answered] = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class _Job:
    """A photo that waits."""

    request: _Request
    number: int
    photo: bytes


class Batcher:
    """Runs the model for many requests.

    Args:
        model: returns the model in use; it is called for each request.
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
        self._idle = 0  # threads that wait for a job
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
        """Return a future for the faces of at least one photo; every: all of each, not the selected one.

        Raises:
            Problem: 429 if too many photos wait, 503 while no model is loaded.
        """
        request = _Request(self._model(), every, len(photos))
        with self._changed:
            if self._closed or len(self._jobs) + len(photos) > self._limit:
                self._metrics.refused.labels("waiting").inc()
                raise busy("busy", "Too many photos wait for the model. Send the request again later.")
            self._jobs += [_Job(request, number, photo) for number, photo in enumerate(photos)]
            self._changed.notify_all()
        return request.result

    def close(self) -> None:
        """Answer what waits, and end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while jobs := self._next():
            for group in _groups(jobs):
                self._answer(group)

    def _next(self) -> list[_Job]:
        """Wait for photos, and take this thread's part of them; none when closed."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._jobs or self._closed)
            part = -(-len(self._jobs) // self._idle)
            self._idle -= 1
            return [self._jobs.popleft() for _ in range(min(BATCH, part))]

    def _answer(self, jobs: Sequence[_Job]) -> None:
        """Embed photos by one call; if it fails, each by its own, so that a failure affects one request."""
        try:
            found = self._faces(jobs[0].request, [job.photo for job in jobs])
        except Exception as error:  # noqa: BLE001  # the request gets it
            if len(jobs) == 1:
                self._finish(jobs[0].request, error)
                return
            for job in jobs:
                self._answer([job])
            return
        self._metrics.batch.observe(len(jobs))
        for job, faces in zip(jobs, found, strict=True):
            self._keep(job, faces)

    def _faces(self, request: _Request, photos: Sequence[bytes]) -> list[Faces]:
        if request.every:
            return request.model.faces_of(photos, max_faces=self._max_faces)
        return [face if isinstance(face, PhotoError) else [face] for face in request.model.embed(photos)]

    def _keep(self, job: _Job, faces: Faces) -> None:
        """Keep the faces of a photo, and answer the request if it was the last one."""
        request = job.request
        with self._changed:
            request.faces[job.number] = faces
            complete = len(request.faces) == request.size
        if complete:
            ordered = [request.faces[number] for number in range(request.size)]
            self._finish(request, Answered(request.model, ordered))

    def _finish(self, request: _Request, outcome: Answered | Exception) -> None:
        """Give a request its answer, unless it has been given up or has failed."""
        with self._changed:
            if request.result.done() or not request.result.set_running_or_notify_cancel():
                return
            if isinstance(outcome, Exception):
                request.result.set_exception(outcome)
            else:
                request.result.set_result(outcome)


def _groups(jobs: Sequence[_Job]) -> list[list[_Job]]:
    """Divide jobs into those that one call can answer: of one model, for the selected or for every face."""
    groups: dict[tuple[int, bool], list[_Job]] = {}
    for job in jobs:
        groups.setdefault((id(job.request.model), job.request.every), []).append(job)
    return list(groups.values())
