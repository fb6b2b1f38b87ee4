"""Faces of the last run are reused when key, digest and number of shards are unchanged, else not at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.align.face_cache import COLUMNS, RECEIPT, PreviousFaces, keep
from tasks.shards import FACES_SCHEMA, shard_paths, sort_key, write_shards
from tests.tasks.align.damages import DAMAGES

KEY, SHARDS = "0123456789abcdef", 2


def face(number: int) -> dict[str, Any]:
    return {
        "image_id": f"{number:03d}",
        "identity": f"person {number % 7}",
        "source": "test",
        "role": "train",
        "image": bytes([number % 256]) * 10,
        "box": [number, 0.5, number + 1, 9],
        "landmarks": [[number, n] for n in range(5)],
        "probability": 0.75,
        "faces_found": 1 + number % 3,
        "fallback": number % 2 == 0,
    }


FACES = [face(number) for number in range(600)]  # more than a record batch holds


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A cache folder with the faces of a finished run, whose own output DVC has removed."""
    aligned = tmp_path / "aligned"
    rows = sorted(FACES, key=lambda row: sort_key(row, SHARDS))
    write_shards(aligned, "faces", FACES_SCHEMA, rows, SHARDS)
    keep(aligned, tmp_path / "kept", KEY)
    for path in aligned.iterdir():
        path.unlink()
    return tmp_path / "kept"


def reused(kept: Path, key: str = KEY, shards: int = SHARDS) -> set[str]:
    previous = PreviousFaces(kept, key=key, shards=shards)
    return {row["image_id"] for row in FACES if row["image_id"] in previous}


def test_every_face_comes_back_in_any_order(kept: Path) -> None:
    previous = PreviousFaces(kept, key=KEY, shards=SHARDS)
    for row in [*FACES, *FACES[::-50]]:
        assert previous.get(row["image_id"]) == {name: row[name] for name in COLUMNS}
    assert "no such photo" not in previous


def test_another_key_or_number_of_shards_reuses_nothing(kept: Path) -> None:
    assert len(reused(kept)) == len(FACES)
    assert reused(kept, key="fedcba9876543210") == set()
    assert reused(kept, shards=4) == set()


def test_a_file_whose_bytes_changed_is_not_reused_and_the_others_are(kept: Path) -> None:
    changed, other = shard_paths(kept, "faces")
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.unlink()  # it may be a link to the output of the run
    changed.write_bytes(content)
    left = reused(kept)
    assert 0 < len(left) < len(FACES)
    other.unlink()
    assert reused(kept) == set()  # a file is missing


def test_without_a_receipt_nothing_is_reused(kept: Path, tmp_path: Path) -> None:
    (kept / RECEIPT).unlink()
    assert reused(kept) == set()
    assert reused(tmp_path / "never there") == set()


def test_keeping_replaces_the_faces_of_the_run_before(kept: Path, tmp_path: Path) -> None:
    rows = sorted(FACES[:50], key=lambda row: sort_key(row, 1))
    write_shards(tmp_path / "aligned", "faces", FACES_SCHEMA, rows, 1)
    keep(tmp_path / "aligned", kept, "a new key")
    assert [path.name for path in sorted(kept.iterdir())] == ["faces-0000.arrow", RECEIPT]
    assert reused(kept, "a new key", 1) == {row["image_id"] for row in FACES[:50]}
    assert (kept / "faces-0000.arrow").samefile(tmp_path / "aligned" / "faces-0000.arrow")


def test_files_are_copied_where_links_cannot_be_made(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError("no links on this file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_shards(tmp_path / "aligned", "faces", FACES_SCHEMA, FACES[:1], 1)
    keep(tmp_path / "aligned", kept, KEY)
    assert reused(kept, shards=1) == {"000"}
    assert not (kept / "faces-0000.arrow").samefile(tmp_path / "aligned" / "faces-0000.arrow")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_receipt_is_discarded_with_a_warning(
    kept: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    if damage == "one bit flipped":  # of the key, so that it is another one, and of a digest
        content = (kept / RECEIPT).read_text()
        digest = json.loads(content)["files"]["faces-0000.arrow"]
        (kept / RECEIPT).write_text(content.replace(digest, digest[::-1]))
    else:
        DAMAGES[damage](kept / RECEIPT)
    assert len(reused(kept)) < len(FACES)
    assert str(kept) in caplog.text
    assert "is damaged" in caplog.text
    write_shards(tmp_path / "aligned", "faces", FACES_SCHEMA, FACES[:1], 1)
    keep(tmp_path / "aligned", kept, KEY)
    caplog.clear()
    assert reused(kept, shards=1) == {"000"}
    assert not caplog.text


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_discarded_with_a_warning_and_the_others_are_used(
    kept: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, intact = shard_paths(kept, "faces")
    DAMAGES[damage](damaged)
    left = reused(kept)
    assert str(damaged) in caplog.text
    assert 0 < len(left) < len(FACES)
    assert shard_paths(kept, "faces") == [intact]


@pytest.mark.parametrize(
    "receipt",
    [
        {"key": KEY},
        {"files": {}},
        {"key": KEY, "files": {"../aligned/faces-0000.arrow": "0" * 64}},
        {"key": KEY, "files": {"faces-0000.arrow": None}},
        {"key": 7, "files": {}},
        {"key": KEY, "files": {}, "more": 1},
        None,
    ],
)
def test_a_receipt_of_another_shape_is_discarded(
    kept: Path, receipt: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (kept / RECEIPT).write_text(json.dumps(receipt))
    assert reused(kept) == set()
    assert "is not a valid receipt" in caplog.text
    assert not (kept / RECEIPT).exists()
