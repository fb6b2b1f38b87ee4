import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from facenet.face_model import FaceModel
from facenet.results import Face, PhotoError
from service.api.batching import Batcher
from service.api.metrics import Metrics
from service.api.problems import Problem

Photo = Callable[..., bytes]


@pytest.fixture
def held(face_model: FaceModel) -> Iterator[tuple[Batcher, threading.Event, Metrics]]:
    """A batcher whose model is not given out before the event is set: requests pile up."""
    ready, metrics = threading.Event(), Metrics()

    def model() -> FaceModel:
        ready.wait(60)
        return face_model

    batcher = Batcher(model, waiting=6, faces=2, threads=1, metrics=metrics)
    batcher.start()
    yield batcher, ready, metrics
    ready.set()
    batcher.close()


def test_waiting_requests_are_answered_by_one_call_and_each_gets_its_own(
    held: tuple[Batcher, threading.Event, Metrics], face_model: FaceModel, photo: Photo
) -> None:
    batcher, ready, metrics = held
    first = batcher.submit([photo(0)], every=False)  # occupies the thread
    while batcher._waiting:
        pass
    futures = [batcher.submit([photo(number)], every=False) for number in (10, 20, 30)]
    both = batcher.submit([photo(0, 10), b"spoilt"], every=True)
    ready.set()
    answers = [future.result(60) for future in (first, *futures)]
    for number, answer in zip((0, 10, 20, 30), answers, strict=True):
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
    assert 'facenet_batch_photos_bucket{le="4.0"} 3.0' in metrics.text().decode()  # 1, 3 and 2 photos


def test_too_many_waiting_photos_are_refused(
    held: tuple[Batcher, threading.Event, Metrics], photo: Photo
) -> None:
    batcher, ready, _ = held
    batcher.submit([photo(0)], every=False)
    while batcher._waiting:
        pass
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

    batcher = Batcher(lambda: Fragile(), waiting=10, faces=2, threads=1, metrics=Metrics())  # type: ignore[arg-type,return-value]
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


def test_threads_share_what_waits(face_model: FaceModel, photo: Photo) -> None:
    both = threading.Barrier(2, timeout=60)

    class Counting:
        def embed(self, photos: Sequence[bytes]) -> list[Any]:
            both.wait()  # passes only if two threads are here at once
            return face_model.embed(photos)

    batcher = Batcher(lambda: Counting(), waiting=40, faces=2, threads=2, metrics=Metrics())  # type: ignore[arg-type,return-value]
    futures = [batcher.submit([photo(0), photo(10)], every=False) for _ in range(8)]
    batcher.start()
    assert [len(future.result(60).faces) for future in futures] == [2] * 8
    batcher.close()
