"""The approximate index finds what the exact search finds, follows changes, and is never the truth."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service.gallery import Enrolment, Gallery, Snapshot
from service.gallery.approximate import Approximate
from service.gallery.nearest import nearest
from service.gallery.settings import Settings

Photo = Callable[..., Enrolment]
RANDOM = np.random.default_rng(11)
PEOPLE, PHOTOS, SIZE = 400, 3, 160


def people() -> np.ndarray:
    """Return templates of people, three each, near their centres."""
    centres = np.repeat(RANDOM.normal(size=(PEOPLE, SIZE)), PHOTOS, axis=0)
    return (centres + 0.3 * RANDOM.normal(size=centres.shape)).astype(np.float32)


def snapshot(templates: np.ndarray, ids: np.ndarray) -> Snapshot:
    names = tuple(f"person {number}" for number in range(PEOPLE))
    return Snapshot(len(ids), templates, (ids - 1) // PHOTOS, ids, names, np.arange(PEOPLE) + 1)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean_squared"])
def test_it_finds_what_the_exact_search_finds_with_the_same_scores(metric: str) -> None:
    templates = unit(people()) if metric == "cosine" else 3 * people()
    all_of_them = snapshot(templates, np.arange(1, PEOPLE * PHOTOS + 1))
    queries = templates[::7] + 0.01 * RANDOM.normal(size=templates[::7].shape).astype(np.float32)
    index = Approximate(metric)
    assert index.search(all_of_them, queries, 3) is None  # it is being built
    index.wait()
    found, exact = index.search(all_of_them, queries, 3), nearest(all_of_them, queries, 3, metric)
    assert found is not None
    assert index.built is not None
    assert (index.built.templates, index.built.recall > 0.8) == (1200, True)
    assert np.mean(found.rows[:, 0] == exact.rows[:, 0]) > 0.98
    same = found.rows == exact.rows
    np.testing.assert_allclose(found.scores[same], exact.scores[same], rtol=1e-4, atol=5e-3)
    assert (found.people == all_of_them.owners[found.rows]).all()


def test_it_follows_additions_and_removals() -> None:
    templates, ids = unit(people()), np.arange(1, PEOPLE * PHOTOS + 1)
    index = Approximate("cosine")
    first = snapshot(templates[:900], ids[:900])
    index.search(first, templates[:1], 1)
    index.wait()
    grown = snapshot(templates, ids)
    found = index.search(grown, templates[900:], 1)
    assert found is not None
    assert found.rows[:, 0].tolist() == list(range(900, 1200))
    stays = np.flatnonzero(ids % 2 == 0)
    shrunk = snapshot(templates[stays], ids[stays])
    found = index.search(shrunk, templates, 1)
    assert found is not None
    assert found.rows[stays, 0].tolist() == list(range(len(stays)))
    back = index.search(first, templates[:900], 1)  # a thread can be behind
    assert back is not None
    assert back.rows[:, 0].tolist() == list(range(900))


def test_it_is_built_again_when_the_gallery_has_outgrown_it() -> None:
    templates, ids = unit(people()), np.arange(1, PEOPLE * PHOTOS + 1)
    index = Approximate("cosine")
    for count in (300, 1200):
        index.search(snapshot(templates[:count], ids[:count]), templates[:1], 1)
        index.wait()
        assert index.built is not None
        assert index.built.templates == count


def test_a_large_gallery_uses_it_and_falls_back_to_the_exact_search(
    tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(approximate_from=30)
    with Gallery.open(tmp_path / "g.db", model_digest="a", template_size=16, settings=settings) as gallery:
        entries = [photo() for _ in range(40)]
        gallery.enrol("Ada", entries, by="me")
        asked = np.stack([entry.template for entry in entries])
        for _ in range(2):  # the first is exact, since the index is being built
            assert gallery.search(asked, 1).rows[:, 0].tolist() == list(range(40))
            gallery._approximate("cosine").wait()
        built = gallery._approximate("cosine").built
        assert built is not None
        assert built.templates == 40
        monkeypatch.setattr("service.gallery.gallery.is_installed", lambda: False)
        assert gallery.search(asked, 1).rows[:, 0].tolist() == list(range(40))
