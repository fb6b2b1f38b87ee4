import hashlib
from pathlib import Path

import pytest

from tasks.forgetting.located import Located
from tasks.forgetting.person import Person
from tasks.forgetting.request import NobodyFound, name_of, of_identity, of_photo
from tests.tasks.forgetting.small import ADA


def test_people_are_known_to_the_manifest_the_folders_or_the_gallery(small: Path) -> None:
    sources = [Located(small / "photos", inside=True)]
    (small / "photos" / "Ze\u0301").mkdir()
    assert of_identity(ADA, small, []).identities == {ADA}
    assert of_identity("Z\u00e9", small, sources).identities == {"Z\u00e9"}
    assert of_identity("Gil", small, sources, ["Gil"]).identities == {"Gil"}


def test_a_similar_name_is_not_enough_but_is_suggested(small: Path) -> None:
    with pytest.raises(NobodyFound, match="did you mean 'Ada Lovelace'"):
        of_identity("ada lovelace", small, [])
    with pytest.raises(NobodyFound, match="Nobody called 'Gil' is in data"):
        of_identity("Gil", small, [Located(small / "params.yaml", inside=True)])


def test_a_photo_is_a_file_or_a_digest(small: Path) -> None:
    photo = small / "photos" / ADA / "1.jpg"
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    assert of_photo(str(photo)).photos == {digest}
    assert of_photo(digest.upper()).photos == {digest}
    with pytest.raises(NobodyFound, match="neither a file nor a sha256"):
        of_photo(digest[:-1])


def test_the_name_of_a_photo_is_that_of_the_pairs_file(small: Path) -> None:
    import pyarrow.parquet as pq

    row = pq.read_table(small / "data/raw/pairs.parquet").to_pylist()[0]
    assert name_of(Person(photos={row["right"]}), small) == row["right_name"]
    assert name_of(Person(identities={ADA}), small) == ADA
    other = name_of(Person(photos={"0" * 64}), small)
    assert len(other) == 64
    assert other != "0" * 64
