"""Identification of real people of ORL by their pixels: enrolled and unknown ones."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sklearn.svm import LinearSVC

from facenet.identification.classifiers import linear_svm, nearest_neighbour
from facenet.identification.gallery import Gallery
from facenet.identification.rates import open_set, rank_rate, rejection_threshold

Faces = np.ndarray
CLASSIFIERS = [nearest_neighbour, linear_svm]


@pytest.fixture(scope="module")
def faces(orl_photos: list[tuple[str, bytes]]) -> Faces:
    """(40 people, 10 photos, 644) grey values of quarter-sized photos, each of mean 0."""
    pixels = [np.asarray(Image.open(BytesIO(data)).resize((23, 28)), np.float64) for _, data in orl_photos]
    rows = np.stack(pixels).reshape(40, 10, -1)
    return rows - rows.mean(axis=2, keepdims=True)


def enrolled(faces: Faces, people: np.ndarray, photos: int) -> Gallery:
    gallery = Gallery()
    for person in people:
        gallery.add(f"s{person + 1}", faces[person, :photos])
    return gallery


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_enrolled_people_are_identified(faces: Faces, classifier: type) -> None:
    people = np.arange(40)
    score = classifier(enrolled(faces, people, 5))
    scores, labels = score(faces[:, 5:].reshape(200, -1)), np.repeat(people, 5)
    assert scores.shape == (200, 40)
    assert rank_rate(scores, labels, 1) > 0.85
    assert rank_rate(scores, labels, 5) > 0.95


def test_nearest_is_the_largest_cosine_by_a_loop(faces: Faces) -> None:
    people = np.array([3, 7, 11])
    scores = nearest_neighbour(enrolled(faces, people, 4))(faces[20, :2])
    for row, probe in zip(scores, faces[20, :2], strict=True):
        for found, person in zip(row, people, strict=True):
            gallery = faces[person, :4]
            cosines = [g @ probe / np.linalg.norm(g) / np.linalg.norm(probe) for g in gallery]
            assert found == pytest.approx(max(cosines), abs=1e-5)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_fpir_holds_for_real_unknown_people(faces: Faces, classifier: type) -> None:
    """20 enrolled people; the threshold from 10 unknown people holds for 10 others, on average."""
    random, rates, found = np.random.default_rng(0), [], []
    for _ in range(8):
        order = random.permutation(40)
        people, calibration, test = order[:20], order[20:30], order[30:]
        score = classifier(enrolled(faces, people, 5))
        threshold = rejection_threshold(score(faces[calibration].reshape(100, -1)), 0.1)
        probes = score(faces[people, 5:].reshape(100, -1))
        result = open_set(probes, np.repeat(np.arange(20), 5), score(faces[test].reshape(100, -1)), threshold)
        rates.append(result.fpir)
        found.append(result.tpir)
    error = np.std(rates, ddof=1) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - 0.1) < 3 * error
    assert 0 < np.mean(rates) < 0.2
    assert np.mean(found) > 0.6


@pytest.mark.parametrize("classifier", CLASSIFIERS)
@pytest.mark.parametrize("fpir", [0.02, 0.1, 0.3])
def test_fpir_holds_for_many_unknown_people(classifier: type, fpir: float) -> None:
    """1,500 unknown synthetic people: the deviation is within the sampling error of both halves."""
    random, count = np.random.default_rng(7), 1500
    people = random.normal(size=(40 + 2 * count, 64))
    known, unknown = people[:40], people[40:] + random.normal(0, 0.4, (2 * count, 64))
    gallery = Gallery()
    for number, centre in enumerate(known):
        gallery.add(str(number), centre + random.normal(0, 0.4, (3, 64)))
    score = classifier(gallery)
    threshold = rejection_threshold(score(unknown[:count]), fpir)
    probes = score(known + random.normal(0, 0.4, known.shape))
    result = open_set(probes, np.arange(40), score(unknown[count:]), threshold)
    assert abs(result.fpir - fpir) < 3 * np.sqrt(fpir * (1 - fpir) * 2 / count)
    assert result.tpir > 0.9


@pytest.mark.parametrize("photos", [1, 3])
def test_svm_equals_the_svm_in_embedding_space(faces: Faces, photos: int) -> None:
    gallery = enrolled(faces, np.arange(12), photos)
    rows, labels = gallery.table()
    machine = LinearSVC(C=1.0, class_weight="balanced", random_state=0, max_iter=100_000, tol=1e-8)
    probes = faces[:20, 9] / np.linalg.norm(faces[:20, 9], axis=1, keepdims=True)
    expected = machine.fit(rows, labels).decision_function(probes)
    np.testing.assert_allclose(linear_svm(gallery)(faces[:20, 9]), expected, atol=2e-3)


def test_svm_of_two_people_scores_both(faces: Faces) -> None:
    scores = linear_svm(enrolled(faces, np.array([0, 1]), 5))(faces[:2, 9])
    assert scores.shape == (2, 2)
    assert scores.argmax(axis=1).tolist() == [0, 1]


def test_svm_of_one_person_raises(faces: Faces) -> None:
    with pytest.raises(ValueError, match="two people"):
        linear_svm(enrolled(faces, np.array([0]), 5))
