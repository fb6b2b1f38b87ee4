"""Write recipes to params.yaml.

Usage: `python -m tasks.commands.recipes list` and `python -m tasks.commands.recipes apply NAME [NAME ...]`.

A recipe is an overlay on recipes/default.yaml, the parameters of a fresh clone. Several recipes are applied
in the given order: a system first, then its data. The resulting params.yaml depends only on the recipes
named: nothing remains of a recipe applied earlier. Comments and layout are kept.

Gates belong to the data: a recipe that sets ingest.sources starts from the gates of default.yaml, so that a
gate for LFW does not follow a system to other photos.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from facenet.atomic import write_text
from facenet.errors import ParamsInvalid
from tasks.entry import stage_main
from tasks.params import parse_params
from tasks.params.document import load, read_text
from tasks.paths import PARAMS

RECIPES = Path("recipes")
DEFAULT = "default"


def recipe_names(folder: Path = RECIPES) -> list[str]:
    """Return the names of all recipes, `default` first, those in subfolders as FOLDER/NAME.

    Raises:
        ParamsInvalid: `folder` has no default.yaml.
    """
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*.yaml"))
    names = [path.with_suffix("").as_posix() for path in paths]
    if DEFAULT not in names:
        raise ParamsInvalid(
            f"There is no {DEFAULT}.yaml in {folder.absolute()}. Run from the root of the project."
        )
    return [DEFAULT, *(name for name in names if name != DEFAULT)]


def describe(name: str, folder: Path = RECIPES) -> str:
    """Return the first comment line of a recipe."""
    if name == DEFAULT:
        return "The parameters of a fresh clone: the AT&T/ORL sample, trained from scratch"
    return (folder / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0].removeprefix("#").strip()


def compose(*names: str, folder: Path = RECIPES) -> str:
    """Return the text of params.yaml for these recipes: default.yaml with their values; the last one wins.

    Mappings are merged key by key; anything else, including lists, is replaced.

    Raises:
        ParamsInvalid: a recipe is unknown, `default` follows another recipe, or the result is not valid.
    """
    known = recipe_names(folder)
    for name in names:
        if name not in known:
            raise ParamsInvalid(f"There is no recipe {name!r} in {folder}. There are: {', '.join(known)}.")
    if DEFAULT in names[1:]:
        raise ParamsInvalid(
            f"Every recipe already builds on {DEFAULT}: name {DEFAULT} alone, or leave it out."
        )
    text = (folder / f"{DEFAULT}.yaml").read_text(encoding="utf-8")
    overlays = [folder / f"{name}.yaml" for name in names if name != DEFAULT]
    if overlays:
        text = _overlaid(text, [path.read_text(encoding="utf-8") for path in overlays])
    try:
        parse_params(text)
    except ParamsInvalid as error:
        raise ParamsInvalid(f"Recipe {' + '.join(map(str, overlays)) or DEFAULT}: {error}") from error
    return text


def apply(*names: str, folder: Path = RECIPES, target: Path = PARAMS) -> list[str]:
    """Write the parameters of these recipes to `target` atomically; return one line per changed value.

    An old `target` that is damaged or not encoded in UTF-8 is replaced, whatever it holds.

    Raises:
        ParamsInvalid: as `compose`; `target` is left unchanged.
    """
    text = compose(*names, folder=folder)
    after = dict(_leaves(yaml.safe_load(text)))
    try:
        before = _old_leaves(target)
    except ParamsInvalid as error:
        write_text(target, text)
        return [f"the old file could not be read, and is replaced: {error}"]
    write_text(target, text)
    keys = [*after, *(key for key in before if key not in after)]
    return [
        f"{key}: {_shown(before, key)} -> {_shown(after, key)}"
        for key in keys
        if _shown(before, key) != _shown(after, key)
    ]


def _old_leaves(target: Path) -> dict[str, Any]:
    if not target.exists():
        return {}
    content = load(read_text(target))
    return dict(_leaves(content)) if isinstance(content, Mapping) else {}


def _overlaid(text: str, overlays: Sequence[str]) -> str:
    from ruamel.yaml import YAML

    editor = YAML()
    editor.indent(mapping=2, sequence=4, offset=2)
    editor.width = 4096  # never wrap a line
    editor.representer.add_representer(
        type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    # PyYAML reads 3e-05 as a string: it requires a decimal point in a float.
    editor.representer.add_representer(
        float, lambda r, value: r.represent_scalar("tag:yaml.org,2002:float", _with_point(value))
    )
    document, stream = editor.load(text), io.StringIO()
    gates = dict(document["register"]["gates"])
    for overlay in overlays:
        values = yaml.safe_load(overlay) or {}
        if "sources" in values.get("ingest", {}):
            document["register"]["gates"].clear()
            document["register"]["gates"].update(gates)
        _merge(document, values)
    editor.dump(document, stream)
    return stream.getvalue()


def _with_point(value: float) -> str:
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")


def _merge(base: MutableMapping[str, Any], overlay: Mapping[str, Any]) -> None:
    for key, value in overlay.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), MutableMapping):
            _merge(base[key], value)
        else:
            base[key] = value


def _leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(leaves: Mapping[str, Any], key: str) -> str:
    if key not in leaves:
        return "(none)"
    text = yaml.safe_dump(leaves[key], default_flow_style=True, sort_keys=False, width=4096)
    return text.removesuffix("\n...\n").strip()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tasks.commands.recipes", description=describe.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the recipes")
    applying = commands.add_parser("apply", help="write recipes to params.yaml, applied in the given order")
    applying.add_argument("names", nargs="+", metavar="NAME")
    options = parser.parse_args(arguments)
    if options.command == "list":
        width = max(map(len, recipe_names()))
        lines = [f"{name:{width}}  {describe(name)}" for name in recipe_names()]
    else:
        changes = apply(*options.names) or ["nothing changed"]
        lines = [
            f"params.yaml now follows recipe {' + '.join(options.names)}:",
            *(f"  {line}" for line in changes),
        ]
        lines.append("Next: dvc repro")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    stage_main(main)
