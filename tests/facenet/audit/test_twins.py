import numpy as np
import pytest

from facenet.audit import twins
from facenet.audit.faces import unit


@pytest.mark.parametrize("exact", [True, False])
def test_the_nearest_of_another_group(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not exact:
        monkeypatch.setattr(twins, "EXACT", 10)
    monkeypatch.setattr(twins, "BLOCK_BYTES", 4 * 300 * 32)
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(300, 8)).astype(np.float32))
    groups = rng.integers(0, 40, 300)
    done: list[int] = []
    rows, similar = twins.nearest_outside(vectors, groups, tick=done.append)
    for row in range(300):
        others = np.where(groups == groups[row], -np.inf, vectors @ vectors[row])
        assert rows[row] == others.argmax()
        assert similar[row] == pytest.approx(others.max(), abs=1e-6)
    assert sum(done) == 300


def test_one_group_has_no_other() -> None:
    rows, similar = twins.nearest_outside(np.eye(3, dtype=np.float32), np.zeros(3, np.int64))
    assert rows.tolist() == similar.tolist() == [-1, -1, -1]
