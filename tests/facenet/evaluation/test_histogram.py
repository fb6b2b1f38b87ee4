import json
from dataclasses import asdict

import numpy as np

from facenet.evaluation.histogram import BINS, Histogram, histogram_of


def test_every_pair_is_counted_once_in_the_bin_of_its_distance() -> None:
    rng = np.random.default_rng(1)
    distances, same = rng.uniform(0, 1.7, 500), rng.random(500) < 0.4
    found = histogram_of(distances, same)
    naive = {True: [0] * BINS, False: [0] * BINS}
    for distance, flag in zip(distances, same, strict=True):
        naive[bool(flag)][min(int(distance / found.width), BINS - 1)] += 1
    assert (list(found.same), list(found.different)) == (naive[True], naive[False])
    assert found.width * BINS == distances.max()


def test_it_survives_json_and_no_pairs() -> None:
    empty = histogram_of([], [])
    assert (sum(empty.same), sum(empty.different), empty.width) == (0, 0, 1 / BINS)
    assert Histogram.parse(json.loads(json.dumps(asdict(empty)))) == empty
