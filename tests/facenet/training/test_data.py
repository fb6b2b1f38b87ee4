import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from facenet.images import decode
from facenet.training import Augmentation, FaceTable, ImagePlan, Loader, TrainingSet, data, loader_settings
from facenet.training.data import BatchIndex
from tests.facenet.training.tiny import LABELS, SIDE, write_faces


def every_face(paths: list[Path]) -> np.ndarray:
    tables = [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in paths]
    return np.stack([decode(image) for table in tables for image in table.column("image").to_pylist()])


PLAN = ImagePlan(LABELS, batch_size=5, balance=0.5, seed=5)


def dataset(paths: list[Path], *, keep: bool = True) -> TrainingSet:
    augmentation = Augmentation(image_size=SIDE - 4, random_crop=True, shift=2, flip=True)
    rows = np.arange(len(LABELS), dtype=np.int64)
    return TrainingSet(FaceTable(paths, keep=keep), rows, LABELS, augmentation=augmentation, seed=5)


def place(epoch: int, number: int) -> BatchIndex:
    return BatchIndex(epoch, number, PLAN.batches(epoch)[number])


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("shards", [1, 3])
def test_rows_count_through_the_files(tmp_path: Path, shards: int, keep: bool) -> None:
    paths = write_faces(tmp_path, shards=shards)
    table = FaceTable(paths, keep=keep)
    assert (len(table), table.side()) == (len(LABELS), SIDE)
    expected = every_face(paths)
    for rows in ([0], [23, 0, 7, 7, 12], list(range(24))):
        assert np.array_equal(table[np.array(rows)], expected[rows])
        assert np.array_equal(table[np.array(rows)], expected[rows]), "the second time, from memory"


def test_cached_faces_cannot_be_changed_through_returned_arrays(tmp_path: Path) -> None:
    table = FaceTable(write_faces(tmp_path), keep=True)
    first = table[np.array([3])]
    first[:] = 0
    assert table[np.array([3])].any()


def test_a_table_is_pickled_as_its_paths(tmp_path: Path) -> None:
    table = FaceTable(write_faces(tmp_path), keep=True)
    table[np.arange(24)]
    sent = pickle.dumps(table)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent)[np.array([5])], table[np.array([5])])


def test_an_empty_table_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "faces-0000.arrow"
    schema = pa.schema({"image": pa.binary()})
    with pa.ipc.new_file(str(path), schema):
        pass
    assert len(FaceTable([path])) == 0


def test_batches_are_images_and_their_labels(tmp_path: Path) -> None:
    paths = write_faces(tmp_path)
    made = dataset(paths)
    images, labels = made[place(1, 2)]
    indices = PLAN.batches(1)[2]
    assert (images.dtype, tuple(images.shape)) == (torch.uint8, (5, SIDE - 4, SIDE - 4, 3))
    assert np.array_equal(labels.numpy(), LABELS[indices])
    again = Augmentation(image_size=SIDE - 4, random_crop=True, shift=2, flip=True)(
        every_face(paths)[indices], np.random.default_rng([5, 1, 2])
    )
    assert np.array_equal(images.numpy(), again)


def test_a_batch_does_not_depend_on_earlier_batches(tmp_path: Path) -> None:
    paths = write_faces(tmp_path)
    walked, jumped = dataset(paths), dataset(paths, keep=False)
    for epoch in (1, 2):
        for number in range(len(PLAN)):
            last = walked[place(epoch, number)]
    assert all(torch.equal(a, b) for a, b in zip(last, jumped[place(2, len(PLAN) - 1)], strict=True))


def test_the_loader_starts_anywhere_and_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    loader = Loader(dataset(write_faces(tmp_path)), PLAN)
    torch.manual_seed(1)
    places = loader.batch_indices(2)
    whole = list(loader.load(places))
    rest = list(loader.load(places[2:]))
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(3))
    assert len(whole) == len(loader) == 4
    assert [labels.tolist() for _, labels in rest] == [labels.tolist() for _, labels in whole[2:]]
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(rest, whole[2:], strict=True))
    assert list(loader.load([])) == []


@pytest.mark.slow
def test_workers_make_the_same_batches(tmp_path: Path) -> None:
    paths = write_faces(tmp_path)
    alone, helped = Loader(dataset(paths), PLAN), Loader(dataset(paths, keep=False), PLAN, workers=2)
    for epoch, start in ((1, 0), (2, 1)):
        places = alone.batch_indices(epoch)[start:]
        pairs = zip(alone.load(places), helped.load(places), strict=True)
        assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in pairs)


def test_small_sets_are_cached_in_memory_on_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = FaceTable(write_faces(tmp_path))
    assert loader_settings(table, torch.device("cpu"), cores=4) == (True, 0)
    assert loader_settings(table, torch.device("cuda"), cores=4) == (False, 3)
    monkeypatch.setattr(data, "KEEP_BYTES", len(LABELS) * SIDE * SIDE * 3 - 1)
    assert loader_settings(table, torch.device("cpu"), cores=2) == (False, 1)


def test_no_rows_give_no_faces(tmp_path: Path) -> None:
    paths = write_faces(tmp_path)
    for keep in (False, True):
        assert FaceTable(paths, keep=keep)[np.array([], np.int64)].shape == (0, SIDE, SIDE, 3)
