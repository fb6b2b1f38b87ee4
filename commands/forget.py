"""`facenet forget`: remove a person, or a photo, from all that the project has, and refuse it later."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.galleries import add_gallery
from commands.output import complain, printable, show, show_json

if TYPE_CHECKING:
    from commands.forgetting.places import Workplace
    from tasks.forgetting.journal import Journal
    from tasks.forgetting.work import Found

SHOWN = 8  # findings per place
BEYOND = (
    "Out of reach: other clones, copies outside the workspace, backups that --backup does not name, older "
    "versions in a bucket with versioning, and what others have downloaded."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet forget`."""
    parser.description = (
        "Remove a person with all photos from sources, data, caches, reports, DVC, MLflow, the gallery and "
        "logs, mark model versions that were trained with them, and let ingest refuse the photos. Without "
        "--yes it only lists what it would do. Exit code 1: it is done, but something is left out of reach."
    )
    name = "the name of the person, exactly as in the manifest"
    parser.add_argument("identity", nargs="?", metavar="IDENTITY", help=name)
    parser.add_argument("--photo", metavar="FILE|SHA256", help="forget this photo only, by file or by digest")
    parser.add_argument("--resume", action="store_true", help="finish what was interrupted")
    parser.add_argument("--yes", action="store_true", help="do it; by default it is only listed")
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason for the receipt, without names")
    backup = "a backup of `make backup`, or a folder of them, to search: repeat it for several"
    parser.add_argument("--backup", action="append", default=[], type=Path, metavar="FOLDER", help=backup)
    add_gallery(parser)
    parser.add_argument("--json", action="store_true", help="print {person, photos, done, places}")


def run(arguments: argparse.Namespace) -> int:
    """List or forget; return 1 if something is out of reach after --yes.

    Raises:
        NobodyFound: there is no such person or photo.
        WorkspaceBusy: a run or DVC works in the workspace.
        ForgettingFailed: something that can be reached is still there.
    """
    if sum((arguments.identity is not None, arguments.photo is not None, arguments.resume)) != 1:
        arguments.parser.error("name one of IDENTITY, --photo or --resume")
    from commands.forgetting.places import Workplace

    workplace = Workplace.open(gallery=arguments.gallery, backups=arguments.backup)
    if arguments.yes:
        from flows.forgetting.busy import alone

        with alone(workplace.root):
            return _forget(arguments, workplace)
    journal, found = _planned(arguments, workplace)
    _show(arguments, journal, found, done=False)
    return OK


def _planned(arguments: argparse.Namespace, workplace: Workplace) -> tuple[Journal, list[Found]]:
    """Return what is forgotten, and what each place has of it."""
    journal = workplace.journal(arguments.identity, arguments.photo, why=arguments.why)
    return journal, workplace.search(journal)


def _forget(arguments: argparse.Namespace, workplace: Workplace) -> int:
    from tasks.forgetting.work import forget

    journal, _ = _planned(arguments, workplace)
    left = forget(workplace.root, workplace.places(journal), journal, _progress)
    _show(arguments, journal, left, done=True)
    return NO if left else OK


def _progress(line: str) -> None:
    complain(f"erasing {line}")


def _show(arguments: argparse.Namespace, journal: Journal, found: list[Found], *, done: bool) -> None:
    if arguments.json:
        show_json(_entry(journal, found, done))
        return
    lines = [line for place in found if place.findings for line in _lines(place)]
    photos = len(journal.person.photos)
    if done:
        show(f"Forgotten, with {photos} photos, as {journal.pseudonym}.\nCommit labels/forgotten.csv.\n")
        show("Still there, since it is out of reach:\n" + "".join(lines) if lines else "")
        show("Run `dvc repro` to train without them.\n")
    else:
        show("".join(lines))
        show(f"{photos} photos. Nothing was removed: add --yes to remove it.\n")
    show(f"{BEYOND}\n")


def _lines(place: Found) -> list[str]:
    total = sum(finding.count for finding in place.findings)
    lines = [f"{place.place}: {total}\n"]
    for finding in place.findings[:SHOWN]:
        count = f" ({finding.count})" if finding.count > 1 else ""
        note = f": {finding.note}" if finding.note else ""
        lines.append(f"  {finding.action:<8} {printable(finding.what)}{count}{printable(note)}\n")
    if len(place.findings) > SHOWN:
        lines.append(f"  and {len(place.findings) - SHOWN} more\n")
    return lines


def _entry(journal: Journal, found: list[Found], done: bool) -> dict[str, Any]:
    places = [
        {"place": place.place, "findings": [dataclasses.asdict(finding) for finding in place.findings]}
        for place in found
        if place.findings
    ]
    return {"person": journal.pseudonym, "photos": len(journal.person.photos), "done": done, "places": places}
