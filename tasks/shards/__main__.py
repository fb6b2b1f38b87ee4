"""The command line of the image tables: export a folder tree for other tools or draw a contact sheet.

python -m tasks.shards export DIR
python -m tasks.shards show FILE.png
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from facenet.atomic import atomic_path
from facenet.errors import DataInvalid
from facenet.images import decode, encode
from tasks.entry import stage_main
from tasks.paths import ALIGNED, RAW
from tasks.shards import read_batches, read_table, shard_paths

TABLES = {"faces": (ALIGNED, "faces"), "photos": (RAW, "images")}
TILE, CAPTION = 112, 14  # pixels: side of an image on the contact sheet, height of the name below it
SUFFIXES = {b"\x89PNG": "png", b"\xff\xd8": "jpg", b"RIFF": "webp"}  # the stored formats


def export(source: Path, prefix: str, target: Path) -> int:
    """Write every image of a table to `target`/identity/image_id.suffix and return their number.

    The bytes are those stored, except that WebP becomes PNG, which is lossless too and widely readable.

    Raises:
        DataInvalid: the table is missing, `target` is not empty, or an identity is not a valid folder name.
    """
    _demand(source, prefix)
    if target.exists() and any(target.iterdir()):
        raise DataInvalid(f"{target} is not empty. Name a new folder.")
    written = 0
    for row in tqdm(_rows(source, prefix), desc="export", unit=" images", mininterval=1.0):
        if row["identity"] in ("", ".", "..") or Path(row["identity"]).name != row["identity"]:
            raise DataInvalid(
                f"Identity {row['identity']!r} of image {row['image_id']} is not a valid folder name."
            )
        folder = target / row["identity"]
        folder.mkdir(parents=True, exist_ok=True)
        content, suffix = _readable(row["image"])
        (folder / f"{row['image_id']}.{suffix}").write_bytes(content)
        written += 1
    return written


def contact_sheet(
    source: Path, prefix: str, *, count: int = 64, identity: str | None = None, tile: int = TILE
) -> Image.Image:
    """Return a sheet of up to `count` images with names, evenly spread over the table or one identity.

    Raises:
        DataInvalid: the table is missing, or it has no `identity`.
    """
    _demand(source, prefix)
    table = read_table(source, prefix, ["identity", "image"])
    names = np.asarray(table["identity"].to_pylist(), dtype=object)
    rows = np.flatnonzero(names == identity) if identity is not None else np.arange(len(names))
    if not len(rows):
        raise DataInvalid(f"{source} has no image" + (f" of {identity!r}." if identity is not None else "."))
    chosen = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]
    columns = int(np.ceil(np.sqrt(len(chosen))))
    lines = -(-len(chosen) // columns)
    sheet = Image.new("RGB", (columns * tile, lines * (tile + CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, row in enumerate(chosen):
        x, y = place % columns * tile, place // columns * (tile + CAPTION)
        image = Image.fromarray(decode(table["image"][int(row)].as_py()))
        image.thumbnail((tile, tile))
        sheet.paste(image, (x, y))
        pen.text((x + 2, y + tile), _fitting(pen, names[row], tile - 4), fill="black")
    return sheet


def _demand(source: Path, prefix: str) -> None:
    if not shard_paths(source, prefix):
        raise DataInvalid(f"There is no {prefix}-*.arrow in {source}. Run `dvc repro` first.")


def _rows(source: Path, prefix: str) -> Iterator[Mapping[str, Any]]:
    for batch in read_batches(source, prefix):
        yield from batch.select(["image_id", "identity", "image"]).to_pylist()


def _readable(content: bytes) -> tuple[bytes, str]:
    suffix = next((suffix for start, suffix in SUFFIXES.items() if content.startswith(start)), "img")
    return (encode(decode(content), "png"), "png") if suffix == "webp" else (content, suffix)


def _fitting(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    while len(text) > 1 and pen.textlength(text) > width:
        text = text[:-1]
    return text


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tasks.shards", description="Inspect the image tables.")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write a folder tree with one folder per identity")
    exporting.add_argument("target", type=Path, metavar="DIR")
    showing = commands.add_parser("show", help="write a contact sheet")
    showing.add_argument("target", type=Path, metavar="FILE.png")
    showing.add_argument("--count", type=int, default=64, help="number of images (default: 64)")
    showing.add_argument("--identity", help="only images of this person")
    for command in (exporting, showing):
        command.add_argument("--table", choices=sorted(TABLES), default="faces", help="default: faces")
    options = parser.parse_args(arguments)
    source, prefix = TABLES[options.table]
    if options.command == "export":
        written = export(source, prefix, options.target)
        sys.stdout.write(f"{written} images in {options.target}\n")
        return
    sheet = contact_sheet(source, prefix, count=options.count, identity=options.identity)
    with atomic_path(options.target) as temporary:
        sheet.save(temporary, format="PNG")
    sys.stdout.write(f"{options.target}: {sheet.width} x {sheet.height} pixels\n")


if __name__ == "__main__":
    stage_main(main)
