"""Identification by each scorer, with the decision and the probability of the Identifier."""

import numpy as np
import pytest

from facenet.errors import ParamsInvalid
from facenet.evaluation.distances import cross_distances, unit_rows
from facenet.identification import people
from facenet.identification.galleries import measure_galleries
from facenet.identification.identifier import Identifier
from facenet.identification.people import EnrolledPeople
from facenet.identification.scorers import SCORERS, Method
from facenet.matching import Matcher
from tests.facenet.test_matching import matcher

Rows = np.ndarray
PEOPLE, PHOTOS, WIDTH, NEAREST = 60, 3, 24, 40
NAMES = [f"P{person:03d}" for person in range(PEOPLE)]


@pytest.fixture(autouse=True)
def few_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "NEAREST", NEAREST)  # fewer than there are people


@pytest.fixture(scope="module")
def model() -> Matcher:
    """A calibration measured on 400 other people."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(400, 1, WIDTH)) + random.normal(scale=0.35, size=(400, 2, WIDTH))
    measured = measure_galleries(
        rows.reshape(-1, WIDTH), [f"Q{row // 2}" for row in range(800)], "cosine", seed=0
    )
    assert measured is not None
    return matcher(identification=measured.calibration, people=400, people_pairs=79800)


def faces(*, seed: int = 0) -> tuple[Rows, Rows, Rows, Rows]:
    """Return shuffled templates, their owners, and a probe of each person and of as many others."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(2 * PEOPLE, 1, WIDTH))
    rows = centres + random.normal(scale=0.35, size=(2 * PEOPLE, PHOTOS + 1, WIDTH))
    rows = unit_rows(rows.reshape(-1, WIDTH)).reshape(rows.shape)
    order = random.permutation(PEOPLE * PHOTOS)
    templates = rows[:PEOPLE, :PHOTOS].reshape(-1, WIDTH)[order]
    owners = np.repeat(np.arange(PEOPLE), PHOTOS)[order]
    return templates, owners, rows[:PEOPLE, PHOTOS], rows[PEOPLE:, PHOTOS]


@pytest.mark.parametrize("method", SCORERS)
def test_enrolled_people_are_named_and_others_are_not(method: Method, model: Matcher) -> None:
    templates, owners, known, unknown = faces()
    enrolled = EnrolledPeople(templates, owners, NAMES, "cosine", method=method)
    identifier = Identifier(model, fpir=0.1)
    found = enrolled.identify(known, identifier)
    assert np.mean([answer.name == name for answer, name in zip(found, NAMES, strict=True)]) > 0.95
    assert np.mean([answer.name is not None for answer in enrolled.identify(unknown, identifier)]) < 0.25
    assert {answer.photos for answer in found} == {PEOPLE * PHOTOS}
    scores = SCORERS[method](templates, owners, "cosine")(known)
    for answer, probe, row in zip(found, known, scores, strict=True):
        best = int(row.argmax())
        distances = cross_distances(probe[None], templates, "cosine")[0]
        assert answer.best == NAMES[best]
        assert answer.distance == pytest.approx(distances[owners == best].min(), abs=1e-6)
        whole = Identifier(model).identify(
            distances, [NAMES[person] for person in owners], choice=answer.best
        )
        assert answer.probability == pytest.approx(whole.probability, rel=0.05)


def test_a_scorer_may_choose_a_person_whose_photos_are_far(model: Matcher) -> None:
    """The two photos of the first person are as far as those of the others, their mean is nearer."""
    angles = np.radians([60, -60, *np.linspace(30, 59, NEAREST + 20)])
    templates = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    owners = np.array([0, 0, *range(1, NEAREST + 21)])
    names = [f"P{person}" for person in range(NEAREST + 21)]
    enrolled = EnrolledPeople(templates, owners, names, "cosine", method="mean")
    answer = enrolled.identify(np.array([[1.0, 0.0]]), Identifier(model))[0]
    assert (answer.best, answer.distance) == ("P0", pytest.approx(0.5, abs=1e-6))
    assert answer.candidates[0].name == "P1"
    assert answer.name is None


def test_fewer_people_than_the_nearest_need_no_selection(model: Matcher) -> None:
    templates, owners, known, _ = faces()
    few = owners < NEAREST // PHOTOS
    enrolled = EnrolledPeople(templates[few], owners[few], NAMES[: NEAREST // PHOTOS], "cosine")
    answer = enrolled.identify(known[:1], Identifier(model))[0]
    distances = cross_distances(known[:1], templates[few], "cosine")[0]
    whole = Identifier(model).identify(distances, [NAMES[person] for person in owners[few]])
    assert (answer.best, answer.probability) == (whole.best, pytest.approx(whole.probability))


@pytest.mark.parametrize("method", ["nearest_neighbour", "mean"])
def test_nobody_is_enrolled(method: Method, model: Matcher) -> None:
    templates, owners, known, _ = faces()
    enrolled = EnrolledPeople(templates[:0], owners[:0], [], "cosine", method=method)
    assert enrolled.identify(known[:1], Identifier(model))[0].reason == "the gallery is empty"


def test_an_svm_needs_two_people() -> None:
    templates, owners, _, _ = faces()
    with pytest.raises(ParamsInvalid, match="two enrolled people"):
        EnrolledPeople(templates[owners == 0], owners[owners == 0], NAMES[:1], "cosine", method="linear_svm")
