from typing import Any

import numpy as np

from facenet import pretrained
from facenet.matching import read_matcher
from facenet.model import CALIBRATION
from facenet.model_folder import model_digest
from tasks.audit.templates import read_templates


def test_templates_come_in_the_order_asked_for_and_are_cached(space: Any) -> None:
    photos = space.faces.photos
    there, back = (
        read_templates("pretrained", asked, space.params, space.files, tick=print)
        for asked in (photos[:20], photos[:20][::-1])
    )
    assert there.computed <= 1  # the photo without a face, which the audit left out
    assert back.computed == 0
    assert np.array_equal(there.vectors, back.vectors[::-1])
    assert there.vectors.shape == (20, 128)
    matcher = read_matcher(pretrained.folder() / CALIBRATION, there.card.weights_sha256)
    assert there.digest == model_digest(there.card, matcher)
