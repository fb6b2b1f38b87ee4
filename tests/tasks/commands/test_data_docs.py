"""The site of expectations: built from files, complete without a network."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.commands.data_docs import build, main, offline, read_tables
from tasks.params import load_params
from tasks.shards import FACES_SCHEMA, sort_key, write_shards

NAMES = ["Ada", "Bob", "Cy"]
TABLES = ["manifest", "pairs", "faces", "identities", "images"]


def lay_out(root: Path, *, probability: float = 0.9) -> dict[str, Path]:
    """Write outputs of ingest, align and triplets: two training people, one evaluated, two photos each."""
    folders = {"raw": root / "raw", "aligned": root / "aligned", "triplets": root / "triplets"}
    for folder in folders.values():
        folder.mkdir()
    people = [name for name in NAMES for _ in range(2)]
    manifest = pd.DataFrame(
        {"image_id": [f"{n:064x}" for n in range(6)], "identity": people, "source": "folder", "mode": "L"}
        | {
            "role": ["train"] * 4 + ["evaluate"] * 2,
            "path": [f"{n}.png" for n in range(6)],
            "width": 9,
            "height": 9,
        }
        | {"bytes": 10, "status": "kept", "reason": None}
    )
    manifest.to_parquet(folders["raw"] / "manifest.parquet")
    pair = {
        "left": f"{4:064x}",
        "right": f"{5:064x}",
        "same": True,
        "fold": 0,
        "left_name": "Cy/1",
        "right_name": "Cy/2",
    }
    pd.DataFrame([pair]).to_parquet(folders["raw"] / "pairs.parquet")
    rest = {
        "image": b"",
        "box": [0, 0, 9, 9],
        "landmarks": np.ones((5, 2)).tolist(),
        "probability": probability,
    }
    faces = [
        row | rest | {"faces_found": 1, "fallback": False}
        for row in manifest[["image_id", "identity", "source", "role"]].to_dict("records")
    ]
    write_shards(
        folders["aligned"], "faces", FACES_SCHEMA, sorted(faces, key=lambda row: sort_key(row, 1)), 1
    )
    identities = pd.DataFrame({"identity": NAMES[:2], "images": 2, "split": "train"})
    identities.to_parquet(folders["triplets"] / "identities.parquet")
    plan = pd.DataFrame({"row": range(4), "label": [0, 0, 1, 1]})
    plan.to_parquet(folders["triplets"] / "images.parquet")
    return folders


def test_every_table_has_a_page_and_no_page_names_another_host(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "old.html").write_text("from an earlier build")
    holds = build(read_tables(**lay_out(tmp_path)), site)
    assert holds == dict.fromkeys(TABLES, True)
    assert sorted(path.name for path in site.iterdir()) == sorted(
        [*(f"{name}.html" for name in holds), "index.html"]
    )
    for path in site.iterdir():
        assert not re.search(r"https?:|<script|@import|url\(", path.read_text())
    links = re.findall(r'href="([^#"]+)"', "".join(path.read_text() for path in site.iterdir()))
    assert set(links) == {path.name for path in site.iterdir()}


def test_a_failure_is_on_the_index_and_its_rows_are_on_the_page(tmp_path: Path) -> None:
    holds = build(read_tables(**lay_out(tmp_path, probability=1.5)), tmp_path / "site")
    assert [name for name, good in holds.items() if not good] == ["faces"]
    index = (tmp_path / "site" / "index.html").read_text()
    assert re.search(r'FAILS</td><td><a href="faces.html">', index)
    assert index.count("FAILS") == 1
    page = (tmp_path / "site" / "faces.html").read_text()
    assert "is a probability" in page
    assert f"{3:064x}" in page


def test_stages_that_have_not_run_are_left_out(tmp_path: Path) -> None:
    folders = lay_out(tmp_path)
    folders["aligned"] = tmp_path / "nothing"
    assert [table.name for table in read_tables(**folders)] == ["manifest", "pairs"]
    with pytest.raises(DataInvalid, match=r"no manifest\.parquet in .*dvc repro"):
        read_tables(**folders | {"raw": tmp_path / "nothing"})


def test_the_leak_is_judged_unless_overlap_is_allowed(tmp_path: Path) -> None:
    folders = lay_out(tmp_path)
    leak = pd.DataFrame({"identity": [*NAMES[:2], "cy"], "images": 2, "split": "train"})
    leak.to_parquet(folders["triplets"] / "identities.parquet")
    judged = {table.name: table.rows for table in read_tables(**folders)}
    assert list(judged["identities"]["is_evaluated"]) == [False, False, True]
    judged = {table.name: table.rows for table in read_tables(**folders, allow_identity_overlap=True)}
    assert not judged["identities"]["is_evaluated"].any()


def test_offline_keeps_text_and_drops_what_would_be_fetched() -> None:
    page = (
        '<head><link rel="stylesheet" href="https://a/b.css"><script src="https://a/b.js"></script>'
        '<style>@import url("https://a")</style></head><img class="x" src="https://a/b.png"> <b>kept</b>'
        '<a href="../../index.html">Home</a><a href="../expectations/faces.html" >faces</a><footer><a href="https://a"></a></footer>'
    )
    kept = offline(page)
    assert "https" not in kept
    assert '<b>kept</b><a href="index.html">Home</a>faces' in kept


def test_command_line(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    lay_out(tmp_path / "data")
    (tmp_path / "params.yaml").write_text((root / "recipes" / "default.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    load_params.cache_clear()
    main([])
    load_params.cache_clear()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:-1]] == [[name, "holds"] for name in TABLES]
    assert lines[-1] == "reports/data-docs/index.html"
    assert (tmp_path / lines[-1]).exists()
