from typing import Any

import numpy as np
import pytest

from facenet.detection import crop_face
from facenet.errors import DataInvalid
from facenet.images import decode
from tasks.align.rows import raw_rows, read_images
from tasks.audit.realigned import aligned_for, crop_of
from tasks.shards import RAW_SCHEMA, read_table, write_shards

ARCFACE = {"method": "similarity", "image_size": 112, "margin": 0, "margin_in": "source"}


def test_faces_that_fit_are_used_as_they_are(space: Any) -> None:
    params, files = space.params.align, space.files
    with aligned_for(
        params.model_dump(mode="json"), params, aligned=files.aligned, raw=files.raw, tick=print
    ) as found:
        assert found == (files.aligned, False)


def test_others_are_cropped_from_the_photos(space: Any) -> None:
    files, done = space.files, []
    with aligned_for(ARCFACE, space.params.align, aligned=files.aligned, raw=files.raw, tick=done.append) as (
        folder,
        realigned,
    ):
        faces = read_table(folder, "faces").to_pylist()
    assert realigned
    assert sum(done) == len(faces) == 85
    assert not folder.exists()
    row = raw_rows(files.raw)[3]
    (photo,) = read_images(files.raw, [row])
    (face,) = [face for face in faces if face["image_id"] == row.image_id]
    expected = crop_face(
        decode(photo), np.float32(face["box"]), np.float32(face["landmarks"]), crop_of(ARCFACE)
    )
    assert np.array_equal(decode(face["image"]), expected)
    assert face["identity"] == row.identity


def test_faces_that_are_older_than_the_photos_are_an_error(space: Any, tmp_path: Any) -> None:
    rows = read_table(space.files.raw, "images").to_pylist()
    write_shards(tmp_path, "images", RAW_SCHEMA, rows[1:], 1)
    with (
        pytest.raises(DataInvalid, match=r"older than the photos.*Run `dvc repro align`"),
        aligned_for(ARCFACE, space.params.align, aligned=space.files.aligned, raw=tmp_path, tick=print),
    ):
        pass
