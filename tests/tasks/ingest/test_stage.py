import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from facenet.errors import DataInvalid, SourceInvalid
from facenet.evaluation.pairs import parse_pairs
from facenet.images import decode
from tasks.ingest.stage import run
from tasks.labels.decision import Decision
from tasks.labels.decisions import write_decisions
from tasks.labels.forgotten import REFUSED, Entry, Forgotten, now
from tasks.params.ingest import IngestParams
from tasks.reports import Meter
from tasks.shards import read_table
from tests.tasks.ingest.archives import tar_bytes, tar_twice, write_tree, zip_bytes, zip_twice
from tests.tasks.ingest.settings import ingest_params
from tests.zoo import picture, save, zoo

ZOO = zoo()


def _jpeg(seed: int) -> bytes:
    return save(picture(1000 + seed), "JPEG")


def _people(names: str, photos: int, start: int = 0) -> dict[str, bytes]:
    return {
        f"{name}/{n}.jpg": _jpeg(start + 100 * place + n)
        for place, name in enumerate(names)
        for n in range(1, photos + 1)
    }


def _run(params: IngestParams, folder: Path, workers: int = 1, seed: int = 666) -> dict[str, Any]:
    return run(params, seed=seed, raw=folder / "raw", downloads=folder / "downloads", workers=workers)


def _manifest(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / "raw" / "manifest.parquet").to_pylist()
    return rows


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "raw").iterdir())}


def test_the_embedded_sample(tmp_path: Path) -> None:
    report = _run(ingest_params(), tmp_path)
    assert (report["found"], report["kept"], report["identities"]) == (400, 400, 40)
    assert report["train"] == {"images": 300, "identities": 30}
    assert report["evaluate"] == {"images": 100, "identities": 10}
    assert report["pairs"]["scored"] == 900
    assert report["rejected"] == {}
    assert {"images_per_second", "peak_memory_mb"} <= set(report)
    json.dumps(report)
    table = read_table(tmp_path / "raw", "images").to_pylist()
    held_out = {row["identity"] for row in table if row["role"] == "evaluate"}
    assert sorted(held_out) == report["held_out_identities"]["names"]
    pairs = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    owners = {row["image_id"]: row["identity"] for row in table}
    for pair in pairs:
        assert {owners[pair["left"]], owners[pair["right"]]} <= held_out
        assert pair["same"] == (owners[pair["left"]] == owners[pair["right"]])
    text = (tmp_path / "raw" / "pairs.txt").read_bytes()
    assert [(str(p.left), str(p.right), p.fold) for p in parse_pairs(text, origin="pairs.txt")] == [
        (pair["left_name"], pair["right_name"], pair["fold"]) for pair in pairs
    ]


def test_written_pairs_can_be_used_as_a_pairs_file(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("ABCDEF", 4))
    _run(ingest_params({"kind": "folder", "path": str(root)}, held_out_identities=3), tmp_path / "one")
    again = {"kind": "folder", "path": str(root), "pairs": str(tmp_path / "one" / "raw" / "pairs.txt")}
    _run(ingest_params(again), tmp_path / "two")
    one, two = _bytes(tmp_path / "one"), _bytes(tmp_path / "two")
    assert one["pairs.parquet"] == two["pairs.parquet"]
    assert one["manifest.parquet"] == two["manifest.parquet"]


def test_the_zoo_gets_its_verdicts_and_only_kept_photos_are_stored(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", {f"Ann/{name}": animal.data for name, animal in ZOO.items()})
    (root / "Ann" / "huge.jpg").write_bytes(bytes(50_001))
    source = {"kind": "folder", "path": str(root), "role": "train"}
    report = _run(ingest_params(source, max_file_bytes=50_000), tmp_path, workers=2)
    rows = {row["path"].removeprefix("Ann/"): row for row in _manifest(tmp_path)}
    assert rows.pop("huge.jpg")["status"] == "too_large"
    assert {name: (row["status"], row["width"], row["height"]) for name, row in rows.items()} == {
        name: (animal.status, animal.width, animal.height) for name, animal in ZOO.items()
    }
    assert report["kept"] + sum(report["rejected"].values()) == report["found"] == len(ZOO) + 1
    stored = {row["image_id"]: row["image"] for row in read_table(tmp_path / "raw", "images").to_pylist()}
    assert len(stored) == report["kept"]
    for name, row in rows.items():
        assert (row["image_id"] in stored) == (row["status"] == "kept")
        assert row["bytes"] == len(ZOO[name].data)
        if row["status"] == "kept":
            np.testing.assert_array_equal(decode(stored[row["image_id"]]), decode(ZOO[name].data))


def test_attributes_are_written_for_kept_photos_and_counted(tmp_path: Path) -> None:
    files = {f"{n:06d}.jpg": _jpeg(n) for n in range(1, 7)} | {"000007.jpg": b"\xff\xd8\xff broken"}
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "celeba.zip").write_bytes(zip_bytes(files))
    people = "".join(f"{name} {place % 2}\n" for place, name in enumerate(files))
    (tmp_path / "downloads" / "identity_CelebA.txt").write_text(people)
    listed = [name for name in files if name != "000002.jpg"]
    attributes = "".join(f"{name} {1 if name < '000004.jpg' else -1} 1\n" for name in listed)
    (tmp_path / "downloads" / "list.txt").write_text(f"{len(listed)}\nYoung Bald\n{attributes}")
    orl = {"kind": "orl"}
    celeba = {"kind": "celeba", "images": "celeba.zip", "attributes": "list.txt"}
    report = _run(ingest_params(orl, celeba), tmp_path)
    assert report["attributes"] == {"photos": 5, "photos_without": 1}
    assert report["sources"]["celeba"]["kept"] == 6  # a photo without a row is used
    found = pq.read_table(tmp_path / "raw" / "attributes.parquet").to_pylist()
    assert found == sorted(
        (
            {"image_id": hashlib.sha256(files[n]).hexdigest(), "Young": n < "000004.jpg", "Bald": True}
            for n in listed[:-1]
        ),
        key=lambda row: row["image_id"],
    )


def test_without_attributes_their_table_has_no_rows(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("AB", 2))
    report = _run(ingest_params({"kind": "folder", "path": str(root)}), tmp_path)
    table = pq.read_table(tmp_path / "raw" / "attributes.parquet")
    assert (table.schema.names, table.num_rows, "attributes" in report) == (["image_id"], 0, False)


def _sources(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return a directory, a tar and a zip with duplicates, rejects, an overlap and a shared person."""
    write_tree(
        folder / "photos", _people("ABC", 3) | {"A/twin.jpg": _jpeg(1), "B/bad.jpg": b"x", "notes.txt": b"y"}
    )
    (folder / "more.tgz").write_bytes(
        tar_bytes({f"all/{k}": v for k, v in _people("CDe", 3, 300).items()}, "w:gz")
    )
    (folder / "test.zip").write_bytes(zip_bytes(_people("EF", 4, 600)))
    return (
        {"kind": "folder", "path": str(folder / "photos")},
        {"kind": "folder", "path": str(folder / "more.tgz"), "role": "train"},
        {"kind": "folder", "path": str(folder / "test.zip"), "role": "evaluate"},
    )


def test_sources_are_merged_and_evaluated_people_do_not_train(tmp_path: Path) -> None:
    report = _run(ingest_params(*_sources(tmp_path)), tmp_path)
    people = {(row["identity"], row["role"]) for row in _manifest(tmp_path) if row["status"] == "kept"}
    assert people == {
        ("A", "train"),
        ("B", "train"),
        ("C", "train"),
        ("D", "train"),
        ("E", "evaluate"),
        ("F", "evaluate"),
    }
    assert [row["source"] for row in _manifest(tmp_path) if row["identity"] == "C"].count("folder-2") == 3
    assert report["rejected"] == {"excluded_identity": 3, "unsupported": 2, "duplicate": 1}
    assert report["excluded_identities"] == {"count": 1, "names": ["e"]}
    assert report["held_out_identities"]["count"] == 0
    assert report["sources"]["folder-3"] == {"found": 8, "kept": 8, "identities": 2}
    assert "WARNING" not in report
    table = read_table(tmp_path / "raw", "images").to_pylist()
    keys = [(row["identity"], row["image_id"]) for row in table]
    assert keys == sorted(keys)  # one shard
    assert [(r["identity"], r["image_id"]) for r in _manifest(tmp_path) if r["status"] == "kept"] == keys
    assert len(_manifest(tmp_path)) == report["found"] == 29


def test_an_allowed_overlap_is_reported_in_capitals(tmp_path: Path) -> None:
    report = _run(ingest_params(*_sources(tmp_path), allow_identity_overlap=True), tmp_path)
    assert report["WARNING"].startswith("1 PEOPLE ARE IN TRAINING AND IN EVALUATION")
    assert next(iter(report)) == "WARNING"
    assert report["overlapping_identities"]["names"] == ["e"]
    assert "excluded_identity" not in report["rejected"]


def test_bytes_do_not_depend_on_workers_or_former_files(tmp_path: Path) -> None:
    params = ingest_params(*_sources(tmp_path))
    _run(params, tmp_path)
    clean = _bytes(tmp_path)
    raw = tmp_path / "raw"
    (raw / "images-0001.arrow").write_bytes(b"of an earlier run")
    (raw / "pairs.txt").write_text("of an earlier run")
    (raw / ".tmp-1-images-0000.arrow").write_bytes(b"half")
    write_tree(raw / "folder", {"file": b""})
    _run(params, tmp_path, workers=3)
    assert _bytes(tmp_path) == clean


def _counts(report: dict[str, Any]) -> tuple[int, int]:
    return report["decoded"], report["reused"]


def test_an_incremental_run_decodes_new_photos_only_and_equals_a_full_run(tmp_path: Path) -> None:
    grey = {f"G/{n}.png": save(picture(2000 + n)[..., 0], "PNG") for n in (1, 2)}
    root = write_tree(tmp_path / "photos", _people("ABCDE", 3) | grey | {"A/bad.jpg": b"x"})
    params = ingest_params({"kind": "folder", "path": str(root)}, held_out_identities=3)
    work = tmp_path / "work"
    assert _counts(_run(params, work)) == (18, 0)
    (root / "A" / "1.jpg").write_bytes(_jpeg(900))
    (root / "B" / "1.jpg").unlink()
    write_tree(root, _people("F", 2, 950) | {"G/3.png": save(picture(2003)[..., 0], "PNG")})
    shutil.rmtree(work / "raw")  # as DVC does before it runs a stage
    assert _counts(_run(params, work)) == (4, 16)
    assert _counts(_run(params, tmp_path / "scratch")) == (20, 0)
    assert _bytes(work) == _bytes(tmp_path / "scratch")
    assert _counts(_run(params, work)) == (0, 20)
    assert _bytes(work) == _bytes(tmp_path / "scratch")


def test_verdicts_with_other_limits_or_damage_are_not_used(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("AB", 2))
    params = ingest_params({"kind": "folder", "path": str(root)})
    _run(params, tmp_path)
    clean = _bytes(tmp_path)
    assert _counts(_run(params.model_copy(update={"min_side": 21}), tmp_path)) == (4, 0)
    assert _counts(_run(params, tmp_path)) == (4, 0)
    verdicts = tmp_path / "cache" / "ingest" / "verdicts.arrow"
    verdicts.write_bytes(verdicts.read_bytes().replace(b"kept", b"lost"))
    assert _counts(_run(params, tmp_path)) == (4, 0)
    assert _bytes(tmp_path) == clean


@pytest.mark.parametrize("name", ["verdicts.arrow", "verdicts.json"])
@pytest.mark.parametrize("length", [0, 40])
def test_a_damaged_cache_is_rebuilt_to_the_same_bytes(
    tmp_path: Path, name: str, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_tree(tmp_path / "photos", _people("AB", 2) | {"A/g.png": save(picture(7)[..., 0], "PNG")})
    params = ingest_params({"kind": "folder", "path": str(root)})
    _run(params, tmp_path)
    clean = _bytes(tmp_path)
    file = tmp_path / "cache" / "ingest" / name
    file.write_bytes(file.read_bytes()[:length])
    with caplog.at_level(logging.WARNING):
        assert _counts(_run(params, tmp_path)) == (5, 0)
    assert "verdicts.arrow is damaged and will be rebuilt" in caplog.text
    assert _bytes(tmp_path) == clean
    assert _counts(_run(params, tmp_path)) == (0, 5)


def test_the_seed_chooses_the_held_out_people(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("ABCDEFGH", 5))
    params = ingest_params({"kind": "folder", "path": str(root)}, held_out_identities=4)
    first, second = (_run(params, tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert first["held_out_identities"] != second["held_out_identities"]


LFW_PAIRS = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nCat\t1\t2\nCat\t1\tGone\t1\n"


def test_pairs_with_a_missing_photo_are_kept_and_counted(tmp_path: Path) -> None:
    files = {
        f"lfw/{n}/{n}_{i:04d}.jpg": _jpeg(10 * p + i)
        for p, n in enumerate(("Ann", "Bob", "Cat"))
        for i in (1, 2)
    }
    files["lfw/Ann/Ann_0002.jpg"] = b"\xff\xd8\xff broken"
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "lfw.tgz").write_bytes(tar_bytes(files, "w:gz"))
    (tmp_path / "downloads" / "pairs.txt").write_text(LFW_PAIRS)
    report = _run(ingest_params({"kind": "lfw", "archive": "lfw.tgz"}), tmp_path)
    rows = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    assert [(row["left"] is None, row["right"] is None) for row in rows] == [
        (False, True),
        (False, False),
        (False, False),
        (False, True),
    ]
    assert report["pairs"] == {
        "scored": 4,
        "same": 2,
        "different": 2,
        "folds": 2,
        "threshold": 0,
        "with_a_photo_missing": 2,
        "repeated": 0,
        "photos": 4,
        "evaluated_photos_left_out": 1,
    }
    assert not (tmp_path / "raw" / "pairs.txt").exists()
    _refuse_bob(tmp_path, files)


def _refuse_bob(folder: Path, files: dict[str, bytes]) -> None:
    """Forget a person of the pairs file, and run again."""
    digests = [hashlib.sha256(data).hexdigest() for name, data in files.items() if "Bob" in name]
    bob = Forgotten().pseudonym("Bob")
    receipt = Forgotten(tuple(Entry(digest, bob, REFUSED, now()) for digest in digests))
    params = ingest_params({"kind": "lfw", "archive": "lfw.tgz"})
    raw = folder / "raw"
    report = run(params, seed=666, raw=raw, downloads=folder / "downloads", workers=1, forgotten=receipt)
    assert report["rejected"] == {"forgotten": 2, "corrupt": 1}
    assert report["pairs"]["scored"] == 3
    for path in sorted([*raw.iterdir(), folder / "cache" / "ingest" / "verdicts.arrow"]):
        assert not any(digest.encode() in path.read_bytes() for digest in digests), path
    rows = _manifest(folder)
    assert {(row["status"], row["identity"]) for row in rows if "Bob" in row["path"]} == {("forgotten", None)}
    assert "Bob" not in str(pq.read_table(raw / "pairs.parquet").to_pylist())


UNUSABLE = {
    "flat": {"1.jpg": _jpeg(1), "2.jpg": _jpeg(2)},
    "too deep": {"lfw/Ann/1.jpg": _jpeg(1), "lfw/Bob/1.jpg": _jpeg(2)},
    "HEIC": {"Ann/1.heic": b"\0\0\0\x18ftypheic" + bytes(100)},
    "system folders": {"lost+found/1.jpg": _jpeg(1), "@eaDir/2.jpg": _jpeg(2)},
}
SAID = {
    "flat": "2 misplaced, such as folder: 1.jpg: The photo lies outside the folders of people",
    "too deep": "The folders of people lie in the folder lfw: add it to the path of the source",
    "HEIC": "1 unsupported, such as folder: Ann/1.heic",
    "system folders": "2 hidden, such as folder: @eaDir/2.jpg",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_no_usable_photo_is_an_error_that_says_how_photos_must_lie(name: str, tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", UNUSABLE[name])
    with pytest.raises(SourceInvalid, match="No photo is usable") as caught:
        _run(ingest_params({"kind": "folder", "path": str(root)}), tmp_path)
    assert SAID[name] in str(caught.value)
    assert "one folder of photos per person, such as photos/Ada Lovelace/1.jpg" in str(caught.value)
    assert str(tmp_path / "raw" / "manifest.parquet") in str(caught.value)
    assert {row["path"] for row in _manifest(tmp_path)} == set(UNUSABLE[name])
    assert all(row["reason"] and row["status"] != "kept" for row in _manifest(tmp_path))


def test_a_photo_under_two_names_is_reported_and_used_for_neither(tmp_path: Path) -> None:
    shared = _jpeg(500)
    root = write_tree(tmp_path / "photos", _people("ABCD", 3) | {"A/shared.jpg": shared, "D/9.jpg": shared})
    (tmp_path / "more.zip").write_bytes(zip_bytes(_people("EF", 2, 700) | {"F/x.jpg": shared}))
    sources = [{"kind": "folder", "path": str(path)} for path in (root, tmp_path / "more.zip")]
    report = _run(ingest_params(*sources), tmp_path)
    assert report["rejected"] == {"conflicting_identity": 3}
    assert report["conflicting_identities"] == {"count": 1, "names": ["A = D = F"]}
    rejected = [row for row in _manifest(tmp_path) if row["status"] != "kept"]
    assert {row["path"] for row in rejected} == {"A/shared.jpg", "D/9.jpg", "F/x.jpg"}
    assert all("the people are A and D and F" in row["reason"] for row in rejected)
    stored = read_table(tmp_path / "raw", "images")["image_id"].to_pylist()
    assert rejected[0]["image_id"] not in stored


ADA = ("Ada Lovelace", "ada_lovelace", "Ad\u00e1 Lovelace")


def _spellings(folder: Path) -> dict[str, Any]:
    files = {f"{name}/{n}.jpg": _jpeg(10 * p + n) for p, name in enumerate(ADA) for n in (1, 2)}
    more = {"ada_lovelace/3.jpg": _jpeg(99)}
    root = write_tree(folder / "photos", files | more | _people("BCD", 3, 200))
    return {"kind": "folder", "path": str(root), "role": "evaluate"}


def test_spellings_of_a_person_are_merged_if_asked(tmp_path: Path) -> None:
    report = _run(ingest_params(_spellings(tmp_path), same_name="merge"), tmp_path)
    assert report["identities"] == 4
    assert report["spellings"] == {"count": 1, "names": ["ada_lovelace = Ada Lovelace = Ad\u00e1 Lovelace"]}
    assert {row["identity"] for row in _manifest(tmp_path)} == {"ada_lovelace", "B", "C", "D"}
    assert report["pairs"]["evaluated_photos_left_out"] == 0


def test_spellings_of_a_person_are_never_a_pair_of_different_people(tmp_path: Path) -> None:
    report = _run(ingest_params(_spellings(tmp_path), same_name="warn"), tmp_path)
    assert (report["identities"], report["spellings"]["count"]) == (6, 1)
    rows = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    people = [{row[side].partition("/")[0] for side in ("left_name", "right_name")} for row in rows]
    assert not any(len(pair & set(ADA)) == 2 for pair in people)
    assert report["pairs"]["evaluated_photos_left_out"] == 4  # those of the two other spellings


def test_spellings_of_a_person_can_be_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceInvalid, match="ada_lovelace = Ada Lovelace"):
        _run(ingest_params(_spellings(tmp_path), same_name="refuse"), tmp_path)


def _decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@pytest.mark.parametrize("packed", [False, True])
def test_given_pairs_name_photos_in_another_unicode_form(tmp_path: Path, packed: bool) -> None:
    people = ["Zo\u00eb B\u00e4ll", "Ren\u00e9"]
    files = {
        _decomposed(f"{name}/{name}_{n:04d}.jpg"): _jpeg(10 * p + n)
        for p, name in enumerate(people)
        for n in (1, 3, 4)
    }
    files |= {_decomposed(f"{people[0]}/{people[0]}_0002 copy.jpg"): _jpeg(77)}
    path = write_tree(tmp_path / "photos", files)
    if packed:
        path = tmp_path / "photos.zip"
        path.write_bytes(zip_bytes(files))
    lines = [f"{people[0]}\t1\t3", f"{people[0]}\t2\t4", f"{people[0]}\t1\t{people[1]}\t3"]
    lines.append(f"{people[0]}\t3\t{people[1]}\t4")
    (tmp_path / "pairs.txt").write_text("\n".join(["2", *lines]))
    source = {"kind": "folder", "path": str(path), "pairs": str(tmp_path / "pairs.txt")}
    report = _run(ingest_params(source), tmp_path)
    ids = {n: hashlib.sha256(_jpeg(n)).hexdigest() for n in (1, 3, 4, 13, 14)}
    rows = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    assert [(row["left"], row["right"]) for row in rows] == [
        (ids[1], ids[3]),
        (None, ids[4]),  # there is no number 2, and the copy is not taken for it
        (ids[1], ids[13]),
        (ids[3], ids[14]),
    ]
    assert report["pairs"]["with_a_photo_missing"] == 1


@pytest.mark.parametrize("numbers", [[0, 1, 2, 3], [0, 5, 7, 100], [3, 4, 5, 6]])
@pytest.mark.parametrize("width", [1, 4, 7])
def test_every_evaluated_photo_can_be_in_a_pair_however_it_is_numbered(
    tmp_path: Path, numbers: list[int], width: int
) -> None:
    files = {
        f"{name}/{name}_{number:0{width}d}.jpg": _jpeg(10 * p + n)
        for p, name in enumerate(("Ann", "Bob", "Cat"))
        for n, number in enumerate(numbers)
    }
    root = write_tree(tmp_path / "photos", files)
    report = _run(ingest_params({"kind": "folder", "path": str(root), "role": "evaluate"}), tmp_path)
    assert (report["pairs"]["photos"], report["pairs"]["evaluated_photos_left_out"]) == (12, 0)


@pytest.mark.parametrize("pack", [tar_twice, zip_twice])
def test_pairs_use_the_later_file_of_a_path_in_an_archive(tmp_path: Path, pack: Any) -> None:
    names = [f"Ann/Ann_000{n}.jpg" for n in (1, 2)] + ["Bob/Bob_0001.jpg"]
    old, new = ({name: _jpeg(start + place) for place, name in enumerate(names)} for start in (0, 50))
    (tmp_path / "archive").write_bytes(pack(old, new))
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t1\n")
    source = {"kind": "folder", "path": str(tmp_path / "archive"), "pairs": str(tmp_path / "pairs.txt")}
    report = _run(ingest_params(source), tmp_path)
    assert (report["found"], report["kept"], report["rejected"]) == (6, 3, {"superseded": 3})
    rows = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    ids = [hashlib.sha256(new[name]).hexdigest() for name in names]
    assert [(row["left"], row["right"]) for row in rows] == [(ids[0], ids[1]), (ids[0], ids[2])]


def test_pairs_of_two_sources_are_not_counted_twice(tmp_path: Path) -> None:
    root = write_tree(
        tmp_path / "photos",
        {f"{n}/{n}_000{i}.jpg": _jpeg(10 * p + i) for p, n in enumerate(("Ann", "Bob")) for i in (1, 2)},
    )
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t1\n")
    source = {"kind": "folder", "path": str(root), "pairs": str(tmp_path / "pairs.txt")}
    report = _run(ingest_params(source, source), tmp_path)
    assert (report["pairs"]["scored"], report["pairs"]["repeated"]) == (2, 2)


def test_a_failed_validation_keeps_the_former_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DataInvalid("not as expected")

    root = write_tree(tmp_path / "photos", _people("AB", 2))
    source = {"kind": "folder", "path": str(root)}
    _run(ingest_params(source), tmp_path)
    before = _bytes(tmp_path)
    write_tree(root, _people("CD", 2, 50))
    monkeypatch.setattr("tasks.expectations.validate_manifest", refuse)
    with pytest.raises(DataInvalid):
        _run(ingest_params(source), tmp_path)
    assert _bytes(tmp_path) == before


def _workspace(folder: Path, sources: tuple[dict[str, Any], ...], root: Path) -> Path:
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["ingest"] = ingest_params(*sources).model_dump(mode="json")
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def _start(folder: Path, root: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(root), "FACENET_WORKERS": "2"}
    command = [sys.executable, "-m", "tasks.ingest"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE)


@pytest.mark.slow
def test_a_run_after_kills_ends_with_the_same_bytes(tmp_path: Path, root: Path) -> None:
    photos = write_tree(tmp_path / "photos", _people("ABCDEFGHIJ", 60))
    workspace = _workspace(tmp_path / "work", ({"kind": "folder", "path": str(photos)},), root)
    for seconds in (0.8, 2.0, 3.2):
        process = _start(workspace, root)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = _start(workspace, root)
    _, text = process.communicate()
    assert process.returncode == 0, text.decode()
    _run(ingest_params({"kind": "folder", "path": str(photos)}), tmp_path / "undisturbed")
    found = {path.name: path.read_bytes() for path in (workspace / "data" / "raw").iterdir()}
    assert found == _bytes(tmp_path / "undisturbed")
    assert json.loads((workspace / "reports" / "ingest.json").read_text())["kept"] == 600
    assert sorted(path.name for path in (workspace / "data").iterdir()) == ["cache", "raw"]


def _decide(folder: Path, *rows: tuple[str, str, str, str]) -> str:
    """Write decisions with a file of the tree for its digest, and return the path of the file."""
    path = folder / "decisions.csv"
    digests = {
        name: hashlib.sha256((folder / "photos" / name).read_bytes()).hexdigest() if name else ""
        for name, *_ in rows
    }
    write_decisions(path, [Decision(digests[name], *rest, when=now()) for name, *rest in rows])
    return str(path)


def test_decisions_are_applied_and_undone(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("ABCDEF", 4) | {"F/a1.jpg": _jpeg(1)})
    source = {"kind": "folder", "path": str(root)}
    before = _run(ingest_params(source, held_out_identities=3), tmp_path)
    assert before["rejected"] == {"conflicting_identity": 2}  # A/1.jpg and F/a1.jpg
    assert before["decisions"]["rows"] == dict.fromkeys(("keep", "drop", "move", "merge", "split"), 0)
    plain = _bytes(tmp_path)
    file = _decide(
        tmp_path, ("F/a1.jpg", "F", "drop", ""), ("B/2.jpg", "B", "move", "A"), ("", "C", "merge", "D"),
        ("E/3.jpg", "E", "split", "E 2"), ("A/3.jpg", "A", "keep", ""), ("A/4.jpg", "A", "drop", ""),
    )  # fmt: skip
    decided = ingest_params(source, held_out_identities=3, decisions=file)
    report = _run(decided, tmp_path)
    assert report["decoded"] == 0
    assert report["decisions"] == {
        "rows": {"keep": 1, "drop": 2, "move": 1, "merge": 1, "split": 1},
        "photos": {"keep": 1, "drop": 2, "move": 1, "merge": 4, "split": 1},
        "pairs_left_out": 0,
    }
    assert report["rejected"] == {"dropped": 2}
    rows = {row["path"]: row for row in _manifest(tmp_path)}
    assert {path: row["identity"] for path, row in rows.items() if row["identity"] != path[0]} == {
        "B/2.jpg": "A",
        **{f"C/{n}.jpg": "D" for n in (1, 2, 3, 4)},
        "E/3.jpg": "E 2",
    }
    assert {path: row["status"] for path, row in rows.items() if row["status"] != "kept"} == {
        "F/a1.jpg": "dropped",
        "A/4.jpg": "dropped",
    }
    assert rows["B/2.jpg"]["reason"] == f"Moved from B to A by {file}, line 3."
    stored = {row["image_id"]: row["identity"] for row in read_table(tmp_path / "raw", "images").to_pylist()}
    assert stored == {row["image_id"]: row["identity"] for row in rows.values() if row["status"] == "kept"}
    first = _bytes(tmp_path)
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(tmp_path / "raw")
    assert _run(decided, tmp_path)["decoded"] == 24
    assert _bytes(tmp_path) == first
    _run(ingest_params(source, held_out_identities=3), tmp_path)
    assert _bytes(tmp_path) == plain


def test_decisions_change_given_pairs_and_who_may_train(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("ABCDEFGH", 4))
    (tmp_path / "downloads").mkdir()
    pairs = "2\t2\nA\t1\t2\nB\t1\t2\nA\t3\tB\t3\nA\t4\tC\t1\nC\t1\t2\nD\t1\t2\nC\t3\tD\t3\nA\t1\tD\t4\n"
    (tmp_path / "downloads" / "pairs.txt").write_text(pairs)
    source = {"kind": "folder", "path": str(root), "role": "train", "pairs": "pairs.txt"}
    file = _decide(
        tmp_path, ("A/2.jpg", "A", "move", "G"), ("B/3.jpg", "B", "drop", ""), ("", "C", "merge", "D"),
        ("", "D", "merge", "H"), ("E/1.jpg", "E", "move", "A"),
    )  # fmt: skip
    report = _run(ingest_params(source, decisions=file), tmp_path)
    found = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    assert [(row["left_name"][-6:], row["right_name"][-6:], row["same"]) for row in found] == [
        ("B_0001", "B_0002", True), ("A_0004", "C_0001", False), ("C_0001", "C_0002", True),
        ("D_0001", "D_0002", True), ("A_0001", "D_0004", False),
    ]  # fmt: skip
    assert all(row["left"] and row["right"] for row in found)
    assert report["decisions"]["pairs_left_out"] == 3
    assert report["pairs"]["scored"] == 5
    rows = {row["path"]: row for row in _manifest(tmp_path)}
    trains = {path for path, row in rows.items() if row["status"] == "kept" and row["role"] == "train"}
    assert trains == {"A/2.jpg", *(f"{who}/{n}.jpg" for who in "EFG" for n in (1, 2, 3, 4))} - {"E/1.jpg"}
    assert report["excluded_identities"]["names"] == ["H"]  # named in pairs as C and D
    assert rows["E/1.jpg"]["role"] == "evaluate"


def test_a_merge_decides_what_two_spellings_are(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("ABaC", 4))
    source = {"kind": "folder", "path": str(root), "role": "train"}
    with pytest.raises(SourceInvalid, match="A = a"):
        _run(ingest_params(source, same_name="refuse"), tmp_path)
    file = _decide(tmp_path, ("", "a", "merge", "A"))
    report = _run(ingest_params(source, same_name="refuse", decisions=file), tmp_path)
    assert (report["identities"], report["spellings"]["count"]) == (3, 0)


def test_decisions_that_do_not_fit_leave_a_manifest_to_look_in(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos", _people("ABCD", 3))
    source = {"kind": "folder", "path": str(root)}
    file = _decide(tmp_path, ("A/1.jpg", "B", "drop", ""))
    with pytest.raises(DataInvalid, match=r"line 2: photo .* is of 'A', not of 'B'\.(.|\n)*lists all photos"):
        _run(ingest_params(source, decisions=file), tmp_path)
    assert {(row["identity"], row["status"]) for row in _manifest(tmp_path)} == {
        (who, "kept") for who in "ABCD"
    }


def test_a_missing_source_is_an_error_without_a_traceback(tmp_path: Path, root: Path) -> None:
    workspace = _workspace(tmp_path / "work", ({"kind": "folder", "path": "/nowhere"},), root)
    process = _start(workspace, root)
    _, text = process.communicate()
    assert process.returncode == 1
    assert b"DownloadFailed: /nowhere was not found" in text
    assert b"Traceback" not in text


@pytest.mark.shared
@pytest.mark.slow
def test_the_whole_of_lfw(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_MIRRORS", str(shared / "data" / "lfw"))
    with Meter() as before:  # memory used by other tests and their servers
        pass
    report = _run(ingest_params({"kind": "lfw"}), tmp_path, workers=2)
    assert (report["found"], report["kept"], report["identities"]) == (13233, 13233, 5749)
    assert report["pairs"] == {
        "scored": 6000,
        "same": 3000,
        "different": 3000,
        "folds": 10,
        "threshold": 0,
        "with_a_photo_missing": 0,
        "repeated": 0,
        "photos": 7701,
        "evaluated_photos_left_out": 13233 - 7701,
    }
    assert report["peak_memory_mb"] < before.peak_memory_mb + 1000
    rows = pq.read_table(tmp_path / "raw" / "pairs.parquet").to_pylist()
    assert len({row[side] for row in rows for side in ("left", "right")}) == 7701


@pytest.mark.shared
@pytest.mark.slow
def test_view_1_of_lfw(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_MIRRORS", str(shared / "data" / "lfw"))
    source = {
        "kind": "lfw",
        "pairs": "pairsDevTest.txt",
        "threshold_pairs": "pairsDevTrain.txt",
        "train_people": "peopleDevTrain.txt",
    }
    report = _run(ingest_params(source), tmp_path, workers=2)
    assert report["train"] == {"images": 9525, "identities": 4038}
    assert report["evaluate"] == {"images": 3708, "identities": 1711}
    assert (report["pairs"]["scored"], report["pairs"]["threshold"]) == (1000, 2200)
    assert report["excluded_identities"]["count"] == 0
