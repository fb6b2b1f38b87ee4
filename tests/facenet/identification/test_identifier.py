"""The probability against Bayes' rule written out, its properties, and the decisions."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facenet.errors import ParamsInvalid
from facenet.evaluation.gallery_calibration import GalleryCalibration
from facenet.identification.identifier import Candidate, Identification, Identifier
from facenet.matching import UNMEASURED
from tests.facenet.test_matching import matcher

MEASURED = GalleryCalibration(
    people=100,
    slope=20.0,
    intercept=10.0,
    sizes=(1, 2, 4, 8, 16),
    fpirs=(0.1, 0.01),
    thresholds=((0.8, 0.6), (0.7, 0.5), (0.64, 0.44), (0.6, 0.4), (0.58, 0.38)),
)
MODEL = matcher(identification=MEASURED, people=100)
DISTANCES = st.lists(st.floats(0, 2), min_size=2, max_size=12)


def test_probabilities_follow_bayes_rule() -> None:
    distances, people = [0.3, 0.5, 0.45, 1.2], ["ann", "ann", "bob", "cy"]
    answer = Identifier(MODEL, prior=0.2).identify(distances, people)
    # A hypothesis per person and one for an unknown person; densities relative to those of different people.
    nearest = {"ann": 0.3, "bob": 0.45, "cy": 1.2}
    weights = {name: 0.2 / 4 * np.exp(10 - 20 * distance) for name, distance in nearest.items()}
    expected = {name: weight / (0.8 + sum(weights.values())) for name, weight in weights.items()}
    assert {c.name: c.probability for c in answer.candidates} == pytest.approx(expected)
    assert (answer.best, answer.distance, answer.photos) == ("ann", 0.3, 4)
    assert answer.probability == pytest.approx(expected["ann"])


@given(DISTANCES, st.integers(0, 50))
def test_the_probability_falls_when_the_gallery_grows(distances: list[float], more: int) -> None:
    distances[0] = max(0.6, distances[0])  # the likelihood ratio is 1 at 0.5
    people = [f"P{row}" for row in range(len(distances))]
    first = Identifier(MODEL).identify(distances, people)
    farther = [*distances, *[max(distances)] * more]
    grown = Identifier(MODEL).identify(farther, [f"P{row}" for row in range(len(farther))])
    assert grown.probability is not None
    assert first.probability is not None
    assert grown.probability <= first.probability + 1e-12
    assert grown.best == first.best
    partly = Identifier(MODEL).identify(distances, people, photos=len(farther))
    assert partly.probability == pytest.approx(grown.probability)


@given(DISTANCES, st.floats(0, 1))
def test_the_probability_rises_when_the_best_match_gets_nearer(distances: list[float], part: float) -> None:
    people = [f"P{row}" for row in range(len(distances))]
    best = int(np.argmin(distances))
    nearer = [part * d if row == best else d for row, d in enumerate(distances)]
    first, second = (Identifier(MODEL).identify(values, people) for values in (distances, nearer))
    assert first.probability is not None
    assert second.probability is not None
    assert second.probability >= first.probability - 1e-12


@given(DISTANCES, st.randoms())
def test_the_order_of_photos_does_not_matter(distances: list[float], random: object) -> None:
    rows = [(distance, f"P{row % 3}") for row, distance in enumerate(distances)]
    answers = []
    for _ in range(2):
        answer = Identifier(MODEL, fpir=0.1).identify([d for d, _ in rows], [p for _, p in rows])
        answers.append((answer.name, answer.best, pytest.approx(answer.probability)))
        random.shuffle(rows)  # type: ignore[attr-defined]
    assert answers[0][:2] == answers[1][:2]
    assert answers[0][2].expected == answers[1][2]


def test_the_nearest_photos_are_enough() -> None:
    distances = np.random.default_rng(0).uniform(0.5, 1.2, 400)
    distances[7] = 0.15
    people = [f"P{row // 2}" for row in range(400)]
    whole = Identifier(MODEL).identify(distances, people)
    near = np.argsort(distances)[:100]
    part = Identifier(MODEL).identify(distances[near], [people[row] for row in near], photos=400)
    assert part.best == whole.best == "P3"
    assert part.probability is not None
    assert whole.probability is not None
    assert 0.98 * whole.probability < part.probability <= whole.probability
    few = Identifier(MODEL).identify(distances[near[:2]], ["P3", people[near[1]]], photos=400)
    assert few.probability is not None
    assert 0.5 * whole.probability < few.probability <= part.probability


def test_a_rate_decides_by_distance_and_size() -> None:
    identifier, people = Identifier(MODEL, fpir=0.1), ["ann", "bob"]
    answer = identifier.identify([0.69, 0.9], people)
    assert (answer.name, answer.threshold, answer.fpir, answer.supported) == ("ann", 0.7, 0.1, True)
    assert identifier.identify([0.69, 0.9], people, photos=4).name is None
    assert identifier.identify([0.70, 0.9], people).name is None
    assert Identifier(MODEL, fpir=0.01).identify([0.69, 0.9], people).name is None


def test_an_unsupported_rate_is_answered_and_said() -> None:
    answer = Identifier(MODEL, fpir=0.1).identify([0.3], ["ann"], photos=17)
    assert (answer.name, answer.supported) == ("ann", False)
    assert answer.reason is not None
    assert "galleries of up to 16 photos; this one has 17" in answer.reason
    assert "not supported" in str(answer)
    with pytest.raises(ValueError, match=r"FPIR 0.01 in a gallery of 17 photos"):
        Identifier(MODEL, fpir=0.01).identify([0.3], ["ann"], photos=17)


def test_without_a_rate_the_probability_decides() -> None:
    identifier = Identifier(MODEL)
    near, far = (identifier.identify([distance, 2.0], ["ann", "bob"]) for distance in (0.3, 0.5))
    assert (near.name, near.threshold, near.fpir, near.supported) == ("ann", None, None, True)
    assert (far.name, far.best) == (None, "ann")
    assert str(near).startswith("ann (probability 0.9")
    assert str(far).startswith("unknown; most similar: ann (probability 0.3")


def test_another_scorer_may_choose_the_person() -> None:
    distances, people = [0.3, 0.35], ["ann", "bob"]
    answer = Identifier(MODEL, fpir=0.1).identify(distances, people, choice="bob")
    assert (answer.name, answer.best, answer.distance) == ("bob", "bob", 0.35)
    with pytest.raises(ValueError, match=r"chosen person 'cy'"):
        Identifier(MODEL).identify(distances, people, choice="cy")


def test_an_empty_gallery_knows_nobody() -> None:
    answer = Identifier(MODEL, fpir=0.1).identify([], [])
    assert (answer.name, answer.best, answer.supported, answer.reason) == (
        None,
        None,
        False,
        "the gallery is empty",
    )
    assert str(answer) == "unknown (the gallery is empty)"


def test_a_model_without_the_measurement_refuses_rates() -> None:
    old = matcher(people=100)
    with pytest.raises(ValueError, match=r"no rates of identification: run `dvc repro evaluate`"):
        Identifier(old, fpir=0.1)
    answer = Identifier(old).identify([0.1, 1.0], ["ann", "bob"])
    assert (answer.name, answer.supported, answer.reason) == ("ann", False, UNMEASURED)
    odds = np.exp(6 - 9.5 * np.array([0.1, 1.0]))
    assert answer.probability == pytest.approx(odds[0] / 2 / (2 * 0.5 + odds.sum() / 2))


def test_a_model_of_few_people_says_so() -> None:
    few = replace(MEASURED, people=10, sizes=(), fpirs=(), thresholds=())
    model = matcher(people=10, people_pairs=45, thresholds=(), identification=few)
    with pytest.raises(ValueError, match=r"no threshold for FPIR 0.1: measured on 10 people"):
        Identifier(model, fpir=0.1)
    answer = Identifier(model).identify([0.1], ["ann"])
    assert (answer.name, answer.supported) == ("ann", False)
    assert answer.reason == "measured on 10 people; at least 40 are needed"


def test_arguments_are_checked() -> None:
    with pytest.raises(ParamsInvalid, match="prior is 0"):
        Identifier(MODEL, prior=0)
    for arguments in (([0.1, 0.2], ["ann"]), ([[0.1]], ["ann"])):
        with pytest.raises(ValueError, match="do not agree"):
            Identifier(MODEL).identify(*arguments)
    with pytest.raises(ValueError, match="2 people and 1 photos do not agree"):
        Identifier(MODEL).identify([0.1, 0.2], ["ann", "bob"], photos=1)


def test_the_answer_becomes_json_without_losing_anything() -> None:
    answer = Identifier(MODEL).identify([0.1, 1.0], ["ann", "bob"])
    stated = json.loads(json.dumps(answer.to_dict()))
    candidates = tuple(Candidate(**entry) for entry in stated.pop("candidates"))
    assert Identification(**stated, candidates=candidates) == answer
