import numpy as np

from facenet.detection.runtime import whole_chunks


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(side).uniform(0, 255, (count, side, side, 4)).astype(np.float32)


def test_chunks_are_padded_with_zeros() -> None:
    shown = crops(5, 24)
    first, second, third = whole_chunks(shown, 2)
    np.testing.assert_array_equal(np.concatenate([first, second, third[:1]]), shown)
    assert third.shape == (2, 24, 24, 4)
    assert not third[1].any()


def test_whole_chunks_are_the_crops_in_order_and_contiguous() -> None:
    shown = crops(8, 24)[::2]
    chunks = list(whole_chunks(shown, 2))
    assert all(chunk.flags.c_contiguous for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate(chunks), shown)


def test_without_crops_there_are_no_chunks() -> None:
    assert list(whole_chunks(crops(0, 24), 2)) == []
