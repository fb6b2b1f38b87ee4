from pathlib import Path

import numpy as np
import pytest

from facenet.detection import Faces
from tasks.align import detection_cache
from tasks.align.detection_cache import DetectionCache
from tests.tasks.align.damages import DAMAGES


def faces(count: int) -> Faces:
    rng = np.random.default_rng(count)
    return Faces(*(rng.random(shape, np.float32) for shape in ((count, 4), (count,), (count, 5, 2))))


def equal(a: Faces | None, b: Faces) -> bool:
    assert a is not None
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("boxes", "probabilities", "landmarks"))


def test_detections_survive_a_process_that_does_not_close_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_cache, "PART_ROWS", 2)
    cache = DetectionCache(tmp_path)
    for number in range(5):
        cache.add(f"photo {number}", faces(number))
    assert equal(cache.get("photo 4"), faces(4))
    again = DetectionCache(tmp_path)
    assert all(equal(again.get(f"photo {n}"), faces(n)) for n in range(4))
    assert again.get("photo 4") is None  # the fifth did not fill a part
    assert "photo 0" in again


def test_closing_leaves_one_file_with_the_given_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_cache, "PART_ROWS", 1)
    cache = DetectionCache(tmp_path)
    for number in range(4):
        cache.add(f"photo {number}", faces(number))
    cache.close(["photo 3", "photo 0", "never seen"])
    assert len(list(tmp_path.iterdir())) == 1
    again = DetectionCache(tmp_path)
    assert equal(again.get("photo 3"), faces(3))
    assert equal(again.get("photo 0"), faces(0))
    assert "photo 1" not in again


def test_leftovers_of_a_killed_write_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-1-part-000000.arrow").write_bytes(b"half")
    assert DetectionCache(tmp_path).get("photo") is None
    assert not list(tmp_path.iterdir())


def one_part(folder: Path, photo: str) -> Path:
    """Write a part that holds one photo."""
    before = set(folder.glob("part-*"))
    cache = DetectionCache(folder)
    cache.add(photo, faces(3))
    cache.flush()
    (path,) = set(folder.glob("part-*")) - before
    return path


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_is_discarded_with_a_warning_and_the_others_are_used(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, intact = one_part(tmp_path, "one"), one_part(tmp_path, "two")
    DAMAGES[damage](damaged)
    cache = DetectionCache(tmp_path)
    assert str(damaged) in caplog.text
    assert "is damaged" in caplog.text
    assert list(tmp_path.iterdir()) == [intact]
    assert cache.get("one") is None
    assert equal(cache.get("two"), faces(3))
    cache.add("one", faces(2))
    cache.close(["one", "two"])
    again = DetectionCache(tmp_path)
    assert equal(again.get("one"), faces(2))
    assert equal(again.get("two"), faces(3))


@pytest.mark.parametrize(
    "name", ["part-000001.arrow", "part-one.arrow", "part-000001-0123456789abcdef.arrow"]
)
def test_a_part_without_its_digest_in_its_name_is_not_used(tmp_path: Path, name: str) -> None:
    one_part(tmp_path, "one").rename(tmp_path / name)
    assert "one" not in DetectionCache(tmp_path)
    assert not list(tmp_path.iterdir())
