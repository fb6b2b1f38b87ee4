from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.records import Record
from tasks.ingest.sources.celeba import open_source
from tasks.ingest.sources.opened import Opening
from tasks.params.sources import CelebaSource
from tests.tasks.ingest.archives import write_tree, zip_bytes

PHOTOS = {f"img_align_celeba/00000{n}.jpg": b"x" for n in (1, 2, 3, 4)}
PEOPLE = "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2880\n"
PARTITION = "000001.jpg 0\n000002.jpg 2\n000003.jpg 1\n"


def _open(folder: Path, people: str = PEOPLE, partition: str | None = None) -> list[Record]:
    (folder / "celeba.zip").write_bytes(zip_bytes(PHOTOS))
    (folder / "identity_CelebA.txt").write_text(people)
    if partition is not None:
        (folder / "list.txt").write_text(partition)
    source = CelebaSource(
        kind="celeba", images="celeba.zip", partition=None if partition is None else "list.txt"
    )
    opened = open_source(source, Opening(folder))
    records = [Record("celeba", member.path) for member in opened.files(1000)]
    opened.place(records)
    return records


def test_identities_come_from_the_list(tmp_path: Path) -> None:
    found = [(record.identity, record.role, record.status) for record in _open(tmp_path)]
    assert found == [
        ("celeba_2880", "split", "kept"),
        ("celeba_2937", "split", "kept"),
        ("celeba_2880", "split", "kept"),
        (None, None, "misplaced"),
    ]


def test_partitions_become_roles(tmp_path: Path) -> None:
    records = _open(tmp_path, partition=PARTITION)
    assert [record.role for record in records] == ["train", "evaluate", "train", None]
    assert records[3].reason == "The photo is not listed in identity_CelebA.txt and list.txt."


def test_csv_lists_with_a_header_are_read(tmp_path: Path) -> None:
    records = _open(tmp_path, "image_id,identity\n000001.jpg,7\n", "image_id,partition\n000001.jpg,2\n")
    assert (records[0].identity, records[0].role) == ("celeba_7", "evaluate")


def test_names_in_any_unicode_form_are_found(tmp_path: Path) -> None:
    write_tree(tmp_path / "photos", {"Zoe\u0308.jpg": b"x"})
    (tmp_path / "identity_CelebA.txt").write_text("Zo\u00eb.jpg 7\nAnne\u0301.jpg 8\n")
    opened = open_source(CelebaSource(kind="celeba", images=str(tmp_path / "photos")), Opening(tmp_path))
    records = [Record("celeba", member.path) for member in opened.files(1000)]
    opened.place(records)
    assert records[0].identity == "celeba_7"


def test_a_photo_listed_twice_as_two_people_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match=r"line 4: 000001.jpg is 7, but 2880 in a line above"):
        _open(tmp_path, PEOPLE + "000001.jpg 7\n")


def test_photos_in_a_directory_are_found(tmp_path: Path) -> None:
    write_tree(tmp_path / "photos", {"000001.jpg": b"x"})
    (tmp_path / "identity_CelebA.txt").write_text(PEOPLE)
    opened = open_source(CelebaSource(kind="celeba", images=str(tmp_path / "photos")), Opening(tmp_path))
    records = [Record("celeba", member.path) for member in opened.files(1000)]
    opened.place(records)
    assert records[0].identity == "celeba_2880"


@pytest.mark.parametrize(
    "people", ["000001.jpg 1\n000002.jpg\n", "000001.jpg 1\n000002.jpg x\n", "a 1\nb 1 2\n"]
)
def test_an_invalid_list_is_an_error_with_the_line(tmp_path: Path, people: str) -> None:
    with pytest.raises(
        SourceInvalid, match=r"identity_CelebA.txt, line 2: expected a file name and the number"
    ):
        _open(tmp_path, people)


def test_an_unknown_partition_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match=r"list.txt: expected a file name and a partition"):
        _open(tmp_path, partition="000001.jpg 3\n")
