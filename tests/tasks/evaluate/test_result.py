"""Views of an evaluation against its pairs, distances and thresholds."""

from dataclasses import replace

import numpy as np

from facenet.evaluation.protocol import Protocol, judge, measure
from tasks.evaluate.mean import Mean
from tasks.evaluate.result import Evaluation
from tests.tasks.evaluate.test_slices import evaluation


def view_1() -> Evaluation:
    """Fold 1 only chooses the threshold of fold 0."""
    before = evaluation()
    table = before.pairs.usable.assign(fold=np.where(before.pairs.usable["fold"] == 1, -1, 0))
    pairs = replace(before.pairs, table=table, usable=table)
    protocol = Protocol(metric="cosine")
    measured = measure(before.vectors, pairs.rows(before.image_ids), protocol)
    return replace(
        before, pairs=pairs, measured=measured, result=judge(measured, protocol), mean=Mean("folds", 60)
    )


def test_decisions_equal_a_loop() -> None:
    found = view_1()
    for row, pair in enumerate(found.pairs.usable.itertuples()):
        assert found.scored[row] == (pair.fold == 0)
        accepted = found.result.distances[row] < found.result.thresholds[row]
        assert found.correct[row] == (pair.fold == 0 and accepted == pair.same)
    assert found.correct[found.scored].mean() == found.result.metrics()["accuracy"]


def test_codes_number_people() -> None:
    found = evaluation()
    left, right = found.codes
    assert ((left == right) == found.pairs.usable["same"]).all()
    names = found.pairs.usable["left_name"].str.partition("/")[0]
    assert len(set(zip(left, names, strict=True))) == len(set(left)) == 60


def test_centred_subtracts_the_mean_of_scoring() -> None:
    plain, centred = evaluation(), view_1()
    assert np.array_equal(plain.centred, plain.vectors)  # squared Euclidean distances have no mean
    rows = {image_id: row for row, image_id in enumerate(centred.image_ids)}
    training = centred.pairs.usable[centred.pairs.usable["fold"] < 0]
    photos = [rows[photo] for side in ("left", "right") for photo in training[side]]
    expected = centred.vectors - centred.vectors[photos].mean(axis=0)
    np.testing.assert_allclose(centred.centred, expected, atol=1e-12)


def test_faces_of_photos() -> None:
    found = evaluation()
    faces = found.faces_of(["b7", "a0"])
    assert np.array_equal(faces, found.faces[[60 + 7, 0]])
