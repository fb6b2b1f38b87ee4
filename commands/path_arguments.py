"""Arguments that are paths, which shells complete with the files or folders that there are."""

import argparse

# The functions of shtab's scripts; importing it for every command would take a third of the start.
FILES = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}
FOLDERS = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/", "tcsh": "d"}
PHOTOS = "a file, a folder to search recursively for photos, or - to read a photo from standard input"


def add_photos(parser: argparse.ArgumentParser, *, nargs: str = "+") -> None:
    """Add the argument `photos`."""
    completed(parser.add_argument("photos", nargs=nargs, metavar="PHOTO", help=PHOTOS), FILES)


def completed(action: argparse.Action, kind: dict[str, str]) -> None:
    """Let shells complete an argument with FILES or FOLDERS."""
    vars(action)["complete"] = kind  # where shtab looks for it
