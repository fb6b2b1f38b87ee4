import numpy as np
import numpy.typing as npt
import pytest

from facenet.audit import nearest
from facenet.audit.faces import unit
from facenet.audit.nearest import nearest_identities

Array = npt.NDArray[np.floating]


def vectors(count: int, seed: int) -> Array:
    return unit(np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32))


@pytest.mark.parametrize("block", [1, 2**26])
def test_it_is_the_naive_search(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(nearest, "BLOCK_BYTES", block)
    queries, centres, ticks = vectors(20, 0), vectors(50, 1), list[int]()
    found, similar = nearest_identities(queries, centres, 4, tick=ticks.append)
    for query, rows, values in zip(queries, found, similar, strict=True):
        expected = sorted(range(50), key=lambda row: -float(query @ centres[row]))[:4]
        assert rows.tolist() == expected
        np.testing.assert_allclose(values, centres[expected] @ query, atol=1e-6)
    assert sum(ticks) == 20


def test_no_more_are_found_than_there_are() -> None:
    assert nearest_identities(vectors(2, 0), vectors(3, 1), 9)[0].shape == (2, 3)


def test_the_approximate_search_finds_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    centres = vectors(3000, 1)
    queries = unit(centres[:200] + 0.1 * vectors(200, 2))
    exact, _ = nearest_identities(queries, centres, 1)
    monkeypatch.setattr(nearest, "EXACT", 100)
    found, similar = nearest_identities(queries, centres, 1)
    assert (found == exact).mean() > 0.97
    np.testing.assert_allclose(similar[:, 0], (queries * centres[found[:, 0]]).sum(axis=1), atol=1e-5)


def test_without_faiss_the_search_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "EXACT", 1)
    monkeypatch.setattr(nearest, "_faiss", lambda: None)
    queries, centres = vectors(5, 0), vectors(50, 1)
    found, _ = nearest_identities(queries, centres, 1)
    assert found[:, 0].tolist() == (queries @ centres.T).argmax(axis=1).tolist()
