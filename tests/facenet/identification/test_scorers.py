"""Identification of real people of ORL by their pixels: enrolled and unknown ones."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sklearn.svm import LinearSVC

from facenet.errors import ParamsInvalid
from facenet.evaluation.distances import cross_distances, unit_rows
from facenet.identification.rates import open_set, rank_rate, rejection_threshold
from facenet.identification.scorers import (
    SCORERS,
    linear_svm,
    mean_of_photos,
    nearest_neighbour,
    person_means,
)

Faces = np.ndarray


@pytest.fixture(scope="module")
def faces(orl_photos: list[tuple[str, bytes]]) -> Faces:
    """(40 people, 10 photos, 644) grey values of quarter-sized photos, each of mean 0 and length 1."""
    pixels = [np.asarray(Image.open(BytesIO(data)).resize((23, 28)), np.float64) for _, data in orl_photos]
    rows = np.stack(pixels).reshape(40, 10, -1)
    return unit_rows((rows - rows.mean(axis=2, keepdims=True)).reshape(400, -1)).reshape(40, 10, -1)


def enrolled(faces: Faces, people: np.ndarray, photos: int) -> tuple[Faces, np.ndarray]:
    rows = faces[people, :photos]
    return rows.reshape(-1, rows.shape[2]), np.repeat(np.arange(len(people)), photos)


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
def test_enrolled_people_are_identified(faces: Faces, scorer: Callable) -> None:
    people = np.arange(40)
    score = scorer(*enrolled(faces, people, 5), "cosine")
    scores, labels = score(faces[:, 5:].reshape(200, -1)), np.repeat(people, 5)
    assert scores.shape == (200, 40)
    assert rank_rate(scores, labels, 1) > 0.75
    assert rank_rate(scores, labels, 5) > 0.9


def test_scores_by_a_loop(faces: Faces) -> None:
    people, photos = np.array([3, 7, 11]), 4
    templates, owners = enrolled(faces, people, photos)
    shuffled = np.random.default_rng(0).permutation(len(owners))
    probes = faces[20, :2]
    for metric in ("cosine", "arccos", "euclidean_squared"):
        nearest = nearest_neighbour(templates[shuffled], owners[shuffled], metric)(probes)
        mean = mean_of_photos(templates[shuffled], owners[shuffled], metric)(probes)
        for row, probe in enumerate(probes):
            for column, person in enumerate(people):
                own = faces[person, :photos]
                distances = [cross_distances(probe[None], photo[None], metric)[0, 0] for photo in own]
                assert nearest[row, column] == pytest.approx(-min(distances), abs=1e-5)
                centre = sum(own) / photos
                centre = centre if metric == "euclidean_squared" else centre / np.linalg.norm(centre)
                distance = cross_distances(probe[None], centre[None], metric)[0, 0]
                assert mean[row, column] == pytest.approx(-distance, abs=1e-5)


def test_the_mean_of_one_photo_is_the_photo(faces: Faces) -> None:
    templates, owners = enrolled(faces, np.arange(5), 1)
    assert person_means(templates, owners, "cosine") == pytest.approx(templates, abs=1e-6)


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
def test_fpir_holds_for_real_unknown_people(faces: Faces, scorer: Callable) -> None:
    """20 enrolled people; the threshold from 10 unknown people holds for 10 others, on average."""
    random, rates, found = np.random.default_rng(0), [], []
    for _ in range(8):
        order = random.permutation(40)
        people, calibration, test = order[:20], order[20:30], order[30:]
        score = scorer(*enrolled(faces, people, 5), "cosine")
        threshold = rejection_threshold(score(faces[calibration].reshape(100, -1)), 0.1)
        probes = score(faces[people, 5:].reshape(100, -1))
        result = open_set(probes, np.repeat(np.arange(20), 5), score(faces[test].reshape(100, -1)), threshold)
        rates.append(result.fpir)
        found.append(result.tpir)
    error = np.std(rates, ddof=1) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - 0.1) < 3 * error
    assert 0 < np.mean(rates) < 0.2
    assert np.mean(found) > 0.6


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
@pytest.mark.parametrize("fpir", [0.02, 0.1, 0.3])
def test_fpir_holds_for_many_unknown_people(scorer: Callable, fpir: float) -> None:
    """1,500 unknown synthetic people: the deviation is within the sampling error of both halves."""
    random, count = np.random.default_rng(7), 1500
    people = random.normal(size=(40 + 2 * count, 64))
    known, unknown = people[:40], people[40:] + random.normal(0, 0.4, (2 * count, 64))
    templates = (known[:, None] + random.normal(0, 0.4, (40, 3, 64))).reshape(120, 64)
    score = scorer(unit_rows(templates), np.repeat(np.arange(40), 3), "cosine")
    unknown = unit_rows(unknown)
    threshold = rejection_threshold(score(unknown[:count]), fpir)
    probes = score(unit_rows(known + random.normal(0, 0.4, known.shape)))
    result = open_set(probes, np.arange(40), score(unknown[count:]), threshold)
    assert abs(result.fpir - fpir) < 3 * np.sqrt(fpir * (1 - fpir) * 2 / count)
    assert result.tpir > 0.9


@pytest.mark.parametrize("photos", [1, 3])
def test_svm_equals_the_svm_in_embedding_space(faces: Faces, photos: int) -> None:
    rows, labels = enrolled(faces, np.arange(12), photos)
    machine = LinearSVC(C=1.0, class_weight="balanced", random_state=0, max_iter=100_000, tol=1e-8)
    probes = faces[:20, 9]
    expected = machine.fit(rows, labels).decision_function(probes)
    np.testing.assert_allclose(linear_svm(rows, labels, "cosine")(faces[:20, 9]), expected, atol=2e-3)


def test_svm_of_two_people_scores_both(faces: Faces) -> None:
    scores = linear_svm(*enrolled(faces, np.array([0, 1]), 5), "cosine")(faces[:2, 9])
    assert scores.shape == (2, 2)
    assert scores.argmax(axis=1).tolist() == [0, 1]


def test_svm_of_one_person_raises(faces: Faces) -> None:
    with pytest.raises(ParamsInvalid, match="two enrolled people"):
        linear_svm(*enrolled(faces, np.array([0]), 5), "cosine")
