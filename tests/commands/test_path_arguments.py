"""Shells complete what is a path, with the functions that shtab's scripts define."""

import argparse

import shtab

from commands.path_arguments import FILES, FOLDERS, add_photos, completed


def test_the_functions_are_those_of_shtab() -> None:
    for ours, theirs in ((FILES, shtab.FILE), (FOLDERS, shtab.DIRECTORY)):
        assert ours.items() <= theirs.items()


def test_photos_are_files_and_folders_of_any_number() -> None:
    parser = argparse.ArgumentParser(prog="p")
    add_photos(parser)
    completed(parser.add_argument("--out"), FOLDERS)
    assert parser.parse_args(["a.jpg", "-", "people/"]).photos == ["a.jpg", "-", "people/"]
    script = shtab.complete(parser, "bash")
    assert "_shtab_p_pos_0_COMPGEN=_shtab_compgen_files" in script
    assert "_shtab_p___out_COMPGEN=_shtab_compgen_dirs" in script
