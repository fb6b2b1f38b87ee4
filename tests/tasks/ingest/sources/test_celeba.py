import unicodedata
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


ATTRIBUTES = "3\nBald Young\n000001.jpg -1  1\nZoe\u0308.jpg 1 -1\n000009.jpg 1 1\n"


def test_attributes_come_from_the_list_for_names_in_any_unicode_form(tmp_path: Path) -> None:
    files = {"000001.jpg": b"x", "000002.jpg": b"y", "Zo\u00eb.jpg": b"z"}
    write_tree(
        tmp_path / "photos", {unicodedata.normalize("NFD", name): data for name, data in files.items()}
    )
    (tmp_path / "identity_CelebA.txt").write_text("000001.jpg 7\n000002.jpg 7\nZo\u00eb.jpg 8\n")
    (tmp_path / "list_attr_celeba.txt").write_text(ATTRIBUTES)
    source = CelebaSource(kind="celeba", images=str(tmp_path / "photos"), attributes="list_attr_celeba.txt")
    opened = open_source(source, Opening(tmp_path))
    assert opened.attributes == ("Bald", "Young")
    records = [Record("celeba", member.path) for member in opened.files(1000)]
    opened.place(records)
    listed = {"000001.jpg": b"\0\1", "Zo\u00eb.jpg": b"\1\0"}
    for record in records:
        assert record.attributes == listed.get(unicodedata.normalize("NFC", record.path))
        assert record.kept


def test_without_a_list_there_are_no_attributes(tmp_path: Path) -> None:
    records = _open(tmp_path)
    assert [record.attributes for record in records] == [None] * 4


def test_an_invalid_list_of_attributes_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"image_id,Bald\n000001.jpg,x\n")
    (tmp_path / "latin.txt").write_bytes("1\nYoung\nZo\u00eb.jpg 1\n".encode("latin-1"))
    (tmp_path / "identity_CelebA.txt").write_text(PEOPLE)
    source = CelebaSource(kind="celeba", images=str(tmp_path), attributes="list.csv")
    with pytest.raises(SourceInvalid, match=r"^list.csv, line 2: expected a file name and 1 values"):
        open_source(source, Opening(tmp_path))
    with pytest.raises(SourceInvalid, match=r"^latin.txt: expected UTF-8 text. Is it the right file\?"):
        open_source(source.model_copy(update={"attributes": "latin.txt"}), Opening(tmp_path))


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
