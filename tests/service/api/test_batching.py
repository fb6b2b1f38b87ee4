import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from facenet.face_model import FaceModel
from facenet.results import Face, PhotoError
from service.api.batching import Answered, Batcher
from service.api.metrics import Metrics
from service.api.problems import Problem

Photo = Callable[..., bytes]


class Held:
    """A model that answers when the event is set: requests pile up."""

    def __init__(self, model: FaceModel) -> None:
        self.model, self.ready = model, threading.Event()

    def embed(self, photos: Sequence[bytes]) -> list[Face | PhotoError]:
        self.ready.wait(60)
        return self.model.embed(photos)

    def faces_of(self, photos: Sequence[bytes], *, max_faces: int) -> list[list[Face] | PhotoError]:
        self.ready.wait(60)
        return self.model.faces_of(photos, max_faces=max_faces)


def batcher_of(model: Any, *, threads: int = 1, waiting: int = 40) -> Batcher:
    return Batcher(lambda: model, waiting=waiting, faces=2, threads=threads, metrics=Metrics())


@pytest.fixture
def held(face_model: FaceModel) -> Iterator[tuple[Batcher, threading.Event, Metrics]]:
    """A batcher of one thread, whose model answers when the event is set."""
    model, metrics = Held(face_model), Metrics()
    batcher = Batcher(lambda: model, waiting=6, faces=2, threads=1, metrics=metrics)  # type: ignore[arg-type,return-value]
    batcher.start()
    yield batcher, model.ready, metrics
    model.ready.set()
    batcher.close()


def occupy(batcher: Batcher, photo: bytes) -> Future[Answered]:
    """Give the only thread something to do."""
    future = batcher.submit([photo], every=False)
    while batcher._jobs:
        pass
    return future


def test_waiting_requests_are_answered_by_one_call_and_each_gets_its_own(
    held: tuple[Batcher, threading.Event, Metrics], face_model: FaceModel, photo: Photo
) -> None:
    batcher, ready, metrics = held
    first = occupy(batcher, photo(0))
    futures = [batcher.submit([photo(number)], every=False) for number in (10, 20)]
    both = batcher.submit([photo(0, 10), b"spoilt"], every=True)
    ready.set()
    answers = [future.result(60) for future in (first, *futures)]
    for number, answer in zip((0, 10, 20), answers, strict=True):
        (expected,) = face_model.embed([photo(number)])
        (found,) = answer.faces
        assert isinstance(expected, Face)
        assert not isinstance(found, PhotoError)
        assert found[0].box == expected.box
        np.testing.assert_allclose(found[0].template, expected.template, atol=1e-5)
    faces, spoilt = both.result(60).faces
    assert isinstance(faces, list)
    assert len(faces) == 2
    assert isinstance(spoilt, PhotoError)
    assert 'facenet_batch_photos_bucket{le="2.0"} 3.0' in metrics.text().decode()  # 1, 2 and 2 photos


def test_too_many_waiting_photos_are_refused(
    held: tuple[Batcher, threading.Event, Metrics], photo: Photo
) -> None:
    batcher, ready, _ = held
    occupy(batcher, photo(0))
    future = batcher.submit([photo(0)] * 6, every=False)
    with pytest.raises(Problem, match="Too many photos wait") as refused:
        batcher.submit([photo(0)], every=False)
    assert refused.value.status == 429
    ready.set()
    assert len(future.result(60).faces) == 6


def test_a_photo_with_too_many_faces_is_refused(
    held: tuple[Batcher, threading.Event, Metrics], photo: Photo
) -> None:
    batcher, ready, _ = held
    ready.set()
    (found,) = batcher.submit([photo(0, 10, 20)], every=True).result(60).faces
    assert isinstance(found, PhotoError)
    assert found.reason == "too_many_faces"


def test_a_failure_reaches_the_request_that_caused_it_only(face_model: FaceModel, photo: Photo) -> None:
    ready = threading.Event()

    class Fragile:
        def embed(self, photos: Sequence[bytes]) -> list[Any]:
            ready.wait(60)
            if b"bomb" in photos:
                raise MemoryError
            return face_model.embed(photos)

    batcher = batcher_of(Fragile())
    batcher.start()
    batcher.submit([photo(0)], every=False)
    good, bad = batcher.submit([photo(0)], every=False), batcher.submit([b"bomb"], every=False)
    ready.set()
    assert len(good.result(60).faces) == 1
    with pytest.raises(MemoryError):
        bad.result(60)
    batcher.close()
    with pytest.raises(Problem):
        batcher.submit([photo(0)], every=False)


class Meeting:
    """A model that answers when as many threads as the barrier has have called it."""

    def __init__(self, model: FaceModel, threads: int) -> None:
        self.model, self.all_here, self.photos = model, threading.Barrier(threads, timeout=60), list[int]()

    def embed(self, photos: Sequence[bytes]) -> list[Any]:
        self.photos.append(len(photos))
        self.all_here.wait()
        return self.model.embed(photos)


def test_threads_share_what_waits(face_model: FaceModel, photo: Photo) -> None:
    model = Meeting(face_model, 2)
    batcher = batcher_of(model, threads=2)
    futures = [batcher.submit([photo(0), photo(10)], every=False) for _ in range(8)]
    batcher.start()
    assert [len(future.result(60).faces) for future in futures] == [2] * 8
    assert model.photos == [4] * 4
    batcher.close()


def test_idle_threads_share_the_photos_of_one_request(face_model: FaceModel, photo: Photo) -> None:
    model = Meeting(face_model, 2)
    batcher = batcher_of(model, threads=2)
    batcher.start()
    while batcher._idle < 2:
        pass
    answer = batcher.submit([photo(0), photo(10)], every=False).result(60)
    assert model.photos == [1, 1]
    for number, found in zip((0, 10), answer.faces, strict=True):
        (expected,) = face_model.embed([photo(number)])
        assert isinstance(expected, Face)
        assert not isinstance(found, PhotoError)
        assert found[0].box == expected.box
    batcher.close()


def test_a_request_has_one_model_although_a_new_one_comes_meanwhile(
    face_model: FaceModel, photo: Photo
) -> None:
    old, new = Held(face_model), Held(face_model)
    models = iter([old, old, new])
    batcher = Batcher(lambda: next(models), waiting=9, faces=2, threads=1, metrics=Metrics())  # type: ignore[arg-type,return-value]
    batcher.start()
    occupy(batcher, photo(0))
    second = batcher.submit([photo(0)] * 5, every=False)  # more than fit into one call
    third = batcher.submit([photo(0)], every=False)
    old.ready.set()
    new.ready.set()
    assert second.result(60).model is old
    assert third.result(60).model is new
    batcher.close()
