"""A photo becomes an enrolment."""

import hashlib

import numpy as np

from service.gallery import Enrolment


def test_an_enrolment_has_the_digest_of_the_photo_and_its_bytes_only_on_request() -> None:
    template = np.ones(4, np.float32)
    plain, kept = Enrolment.of(b"jpeg", template), Enrolment.of(b"jpeg", template, keep=True)
    assert plain.sha256 == kept.sha256 == hashlib.sha256(b"jpeg").hexdigest()
    assert (plain.photo, kept.photo) == (None, b"jpeg")
    assert "jpeg" not in repr(kept)
    assert "array" not in repr(kept)
