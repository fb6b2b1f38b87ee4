import shutil

import pytest

from facenet.errors import DataInvalid
from service.review.faces import read_faces
from tests.service.review.workspaces import Workspace


def test_photos_by_identity_and_faces_by_digest(small: Workspace) -> None:
    faces = read_faces(small.root)
    ann = small.of("Ann")
    assert faces.photos["Ann"] == ann
    assert faces.identities[ann[0]] == "Ann"
    assert faces.of("Ann", count=2, without=(ann[0],), first=ann[3]) == [ann[3], ann[1]]
    assert faces.of("Ann", count=9, first="not Ann's") == ann
    assert faces.of("Nobody", count=2) == []
    image = faces.face(ann[0])
    assert image is not None
    assert image.startswith(b"RIFF")
    assert faces.face("0" * 64) is None


def test_only_kept_photos_count_and_those_without_a_face_come_last(small: Workspace) -> None:
    first, second, *others = small.of("Ann")
    small.label.pop(first)
    small.write_data()
    without = read_faces(small.root)
    assert first not in without.identities
    small.label[first] = "Ann"
    faces_before = (small.root / "data" / "aligned" / "faces-0000.arrow").read_bytes()
    small.write_data()
    (small.root / "data" / "aligned" / "faces-0000.arrow").write_bytes(faces_before)
    assert read_faces(small.root).photos["Ann"] == [second, *others, first]
    assert read_faces(small.root).of("Ann", count=9) == [second, *others]


@pytest.mark.parametrize(
    ("folder", "command"), [("data/raw", "dvc repro align"), ("data/aligned", "dvc repro align")]
)
def test_missing_data_names_the_command(small: Workspace, folder: str, command: str) -> None:
    shutil.rmtree(small.root / folder)
    with pytest.raises(DataInvalid, match=command):
        read_faces(small.root)


def test_a_damaged_manifest_is_named(small: Workspace) -> None:
    (small.root / "data" / "raw" / "manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataInvalid, match=r"manifest.parquet is damaged"):
        read_faces(small.root)
