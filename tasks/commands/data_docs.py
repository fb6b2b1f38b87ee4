"""Data Docs: the expectations on the data and their results, as a site that works offline.

The pages of Great Expectations load styles, icons and scripts from other hosts; without them its index is
empty. This module keeps their text and tables, adds a small stylesheet, and writes its own index.
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd

from facenet.errors import DataInvalid
from tasks import paths
from tasks.entry import stage_main
from tasks.expectations import document, tables
from tasks.expectations.tables import Table
from tasks.params import load_params
from tasks.shards import FACES_SCHEMA, read_table, shard_paths

SITE = paths.REPORTS / "data-docs"
PLANS = ("images", "triplets", "pairs", "validation_pairs", "validation_images")

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 75rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left; vertical-align: top; }
nav ol, nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; }
.text-success, .holds { color: #17703a; } .text-danger, .fails { color: #b3261e; }
.fa-check-circle::before { content: "\\2713"; } .fa-times::before { content: "\\2717"; }
.fa-exclamation-triangle::before { content: "\\26A0"; }
.cooltip .top, .collapse, [data-toggle="collapse"], .card.mb-3 { display: none; }
"""
_FOREIGN = [
    re.compile(r"<script\b.*?</script>", re.DOTALL),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL),
    re.compile(r"<style\b.*?</style>", re.DOTALL),
    re.compile(r"<link\b[^>]*>"),
    re.compile(r"<img\b[^>]*\bsrc=\"https?:[^>]*>"),
]


def read_tables(
    *, raw: Path, aligned: Path, triplets: Path, allow_identity_overlap: bool = False
) -> list[Table]:
    """Return the tables of the stages that have run, in the form the suites check.

    Raises:
        DataInvalid: no stage has run.
    """
    if not (raw / "manifest.parquet").exists():
        raise DataInvalid(f"There is no manifest.parquet in {raw}. Run `dvc repro` first.")
    manifest, pairs = pd.read_parquet(raw / "manifest.parquet"), pd.read_parquet(raw / "pairs.parquet")
    found = tables.of_manifest(manifest, pairs, allow_identity_overlap)
    if shard_paths(aligned, "faces"):
        columns = [name for name in FACES_SCHEMA.names if name != "image"]
        faces = read_table(aligned, "faces", columns).to_pandas()
        found += tables.of_faces(faces)
        if (triplets / "identities.parquet").exists():
            evaluated = set() if allow_identity_overlap else _evaluated(manifest, pairs)
            found += _of_triplets(triplets, faces, evaluated)
    return found


def _evaluated(manifest: pd.DataFrame, pairs: pd.DataFrame) -> set[str]:
    scored = pairs[pairs["fold"] >= 0]
    photos = pd.concat([scored["left"], scored["right"]]).dropna()
    return set(manifest["identity"][manifest["image_id"].isin(photos)])


def _of_triplets(triplets: Path, faces: pd.DataFrame, evaluated: set[str]) -> list[Table]:
    identities, rows = pd.read_parquet(triplets / "identities.parquet"), list(faces["identity"])
    found = tables.of_triplets(identities, pd.DataFrame(), evaluated)
    for name in PLANS:
        if (triplets / f"{name}.parquet").exists():
            plan = pd.read_parquet(triplets / f"{name}.parquet")
            found += [
                Table(table.suite, table.rows, table.keys, name)
                for table in tables.of_triplets(identities, plan, evaluated, rows)
                if table.suite == "plan"
            ]
    return found


def build(checked: list[Table], site: Path) -> dict[str, bool]:
    """Write the site for these tables to `site`, replacing an older one; return which tables passed."""
    with tempfile.TemporaryDirectory() as scratch:
        raw, new = Path(scratch) / "raw", Path(scratch) / "new"
        holds = document(checked, raw)
        new.mkdir()
        for name in holds:
            (page,) = sorted((raw / "validations" / name).rglob("*.html"))
            (new / f"{name}.html").write_text(offline(page.read_text(encoding="utf-8")), encoding="utf-8")
        (new / "index.html").write_text(_index(checked, holds), encoding="utf-8")
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(new, site)
    return holds


def offline(page: str) -> str:
    """Return a page of Data Docs without any reference to other hosts."""
    for foreign in _FOREIGN:
        page = foreign.sub("", page)
    page = re.sub(r'href="(\.\./)*index\.html"', 'href="index.html"', page)
    page = re.sub(r'<a href="(\.\./)*expectations/[^"]*"\s*>(.*?)</a>', r"\2", page)
    return page.replace("</head>", f"<style>{STYLE}</style></head>")


def _index(checked: list[Table], holds: dict[str, bool]) -> str:
    rows = "".join(
        f'<tr><td class="{"holds" if holds[table.name] else "fails"}">{_verdict(holds[table.name])}</td>'
        f'<td><a href="{table.name}.html">{table.name}</a></td><td>{len(table.rows):,}</td></tr>'
        for table in checked
    )
    head = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Data Docs</title>'
    table = f"<table><tr><th>expectations</th><th>table</th><th>rows</th></tr>{rows}</table>"
    return f"{head}<style>{STYLE}</style></head><body><h1>Data Docs</h1>{table}</body></html>\n"


def _verdict(good: bool) -> str:
    return "holds" if good else "FAILS"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    argparse.ArgumentParser(
        prog="python -m tasks.commands.data_docs",
        description=f"Write the data validation site {SITE}/index.html.",
    ).parse_args(arguments)
    overlap = load_params().ingest.allow_identity_overlap
    found = read_tables(
        raw=paths.RAW, aligned=paths.ALIGNED, triplets=paths.TRIPLETS, allow_identity_overlap=overlap
    )
    for name, good in build(found, SITE).items():
        sys.stdout.write(f"{name:20} {_verdict(good)}\n")
    sys.stdout.write(f"{SITE / 'index.html'}\n")


if __name__ == "__main__":
    stage_main(main)
