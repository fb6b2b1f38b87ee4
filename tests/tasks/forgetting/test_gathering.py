import hashlib
from pathlib import Path

import pyarrow as pa

from tasks.forgetting.gathering import gather, people, workspace_tables
from tasks.forgetting.person import Person
from tasks.forgetting.traces import pieces
from tests.tasks.forgetting.small import ADA, PEOPLE, PHOTOS


def test_a_name_leads_to_digests_faces_and_embeddings(small: Path) -> None:
    person = Person(identities={ADA})
    gather(person, workspace_tables(small))
    photos = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (small / "photos" / ADA).iterdir()}
    assert person.photos == photos
    assert len(person.faces) == PHOTOS
    assert len(person.roles) == 1
    with pa.OSFile(str(small / "data/embeddings/embeddings-0000.arrow")) as file:
        for row in pa.ipc.open_file(file).read_all().to_pylist():
            vector = pa.array(row["embedding"], pa.float32()).to_numpy().tobytes()
            assert (pieces(vector) <= person.traces) is (row["image_id"] in photos)


def test_a_digest_alone_leads_to_its_face(small: Path) -> None:
    photo = small / "photos" / ADA / "1.jpg"
    person = Person(photos={hashlib.sha256(photo.read_bytes()).hexdigest()})
    gather(person, workspace_tables(small))
    assert len(person.faces) == 1
    assert person.md5 == {hashlib.md5(photo.read_bytes()).hexdigest()}  # data/raw has its bytes
    assert not person.identities


def test_the_people_are_those_of_the_manifest(small: Path) -> None:
    assert people(small) == sorted(PEOPLE)
    assert people(small / "photos") == []
    assert workspace_tables(small / "photos") == []
