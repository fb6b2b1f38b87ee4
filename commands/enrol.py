"""`facenet enrol`: remember people by photos, from files or from a folder per person."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.galleries import add_gallery, gallery_of
from commands.models import add_model, evaluated, load_model
from commands.output import as_text, json_list, lines, printable, progress
from commands.path_arguments import FOLDERS, add_photos, completed
from commands.people_folders import Read, people_of, read_people
from commands.photos import expanded
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from facenet import FaceModel
    from service.gallery import Gallery
    from service.gallery.checks import Finding
    from tasks.commands.photo_files import Argument

CHECKS = (
    "off: enrol every face; warn: enrol and report what is small, blurred, dark or unlike the person's other "
    "photos; strict: refuse it (default: that of gallery/settings.toml, else warn)"
)


@dataclass(frozen=True)
class Result:
    """What became of one person. findings: path, check and message. error: why nothing was enrolled."""

    name: str
    added: int
    already: int
    findings: tuple[tuple[str, str, str], ...]
    error: str

    @property
    def complete(self) -> bool:
        """Whether every photo is enrolled."""
        return not self.error and not any(check in UNUSABLE for _, check, _ in self.findings)


UNUSABLE = ("unreadable", "no_face")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet enrol`."""
    parser.description = (
        "Enrol photos of a person, new or enrolled already, or the people of a folder with one folder per "
        "person. The gallery has names and templates, photos only with --keep. Exit code 1: a photo was not "
        "enrolled."
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the person")
    add_photos(parser, nargs="*")
    source = parser.add_argument("--from", dest="folder", metavar="DIR", help="enrol each folder as a person")
    completed(source, FOLDERS)
    parser.add_argument("--checks", choices=("off", "warn", "strict"), help=CHECKS)
    keep = "store the photos too: another model can then take over the gallery (facenet gallery migrate)"
    parser.add_argument("--keep", action="store_true", help=keep)
    parser.add_argument("--by", metavar="WHO", help="who enrols, for the record (default: this user)")
    add_gallery(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON list with an entry per person")


def run(arguments: argparse.Namespace) -> int:
    """Enrol and print what became of each person; return 1 if a photo was not enrolled.

    Raises:
        ParamsInvalid: neither a name with photos nor --from was given, or the folder has no folders.
        ModelDiffers: the gallery has templates of another model.
        WeightsInvalid: the model is damaged, or was not evaluated.
        StoreFailed: the gallery cannot be written.
    """
    asked = _people(arguments)
    model = load_model(arguments)
    incomplete = 0
    with gallery_of(arguments, model) as gallery:
        output = json_list() if arguments.json else lines()
        total = sum(len(photos) for _, photos in asked)
        with progress(total, name="enrol") as bar, output as entry:
            for name, photos in read_people(model, asked, bar):
                result = enrolled(gallery, model, name, photos, arguments)
                incomplete += not result.complete
                entry(as_json(result) if arguments.json else text(result))
    return OK if not incomplete else NO


def _people(arguments: argparse.Namespace) -> list[tuple[str, list[Argument]]]:
    """Return names and photos: those on the command line, or the folders in --from, sorted by name."""
    if arguments.folder is None:
        if arguments.name is None or not arguments.photos:
            raise ParamsInvalid(
                "Name a person and photos: facenet enrol NAME PHOTO; or a folder: --from DIR."
            )
        return [(arguments.name, expanded(arguments.photos))]
    if arguments.name is not None:
        raise ParamsInvalid(f"Name either photos or --from: {arguments.name!r} was given with --from.")
    return people_of(Path(arguments.folder), option="--from")


def enrolled(
    gallery: Gallery, model: FaceModel, name: str, photos: Sequence[Read], arguments: argparse.Namespace
) -> Result:
    """Enrol the photos of one person after the checks, and return what became of them."""
    from dataclasses import replace

    from service.gallery.enrolling import enrol_faces
    from service.gallery.errors import EnrolmentRefused, NameInvalid

    settings = gallery.settings
    if arguments.checks:
        settings = replace(settings, checks=arguments.checks)
    contents, faces = [content for _, content, _ in photos], [face for _, _, face in photos]
    options = {"by": arguments.by or getpass.getuser(), "keep": arguments.keep}
    findings: tuple[Finding, ...] = ()
    added, already, error = 0, 0, ""
    try:
        outcome = enrol_faces(
            gallery, name, contents, faces, matcher=evaluated(model), settings=settings, **options
        )
    except EnrolmentRefused as refused:
        findings, error = refused.findings, "nothing was enrolled"
    except NameInvalid as invalid:
        error = str(invalid)
    else:
        findings = outcome.findings
        added, already = len(outcome.enrolled.added), len(outcome.enrolled.already)
    found = tuple((photos[f.photo][0], str(f.check), f.message) for f in findings)
    return Result(name, added, already, found, error)


def as_json(result: Result) -> dict[str, Any]:
    """Return {name, added, already, findings: [{path, check, message}], error}."""
    names = ("path", "check", "message")
    findings = [dict(zip(names, map(as_text, found), strict=True)) for found in result.findings]
    counts = {"added": result.added, "already": result.already}
    return {"name": as_text(result.name), **counts, "findings": findings, "error": result.error or None}


def text(result: Result) -> str:
    """Return a line for the person, and one for each photo that a check has something to say about."""
    already = f", {result.already} enrolled before" if result.already else ""
    count = "1 photo" if result.added == 1 else f"{result.added} photos"
    what = printable(result.error) if result.error else f"{count} enrolled{already}"
    shown = [f"{printable(result.name)}: {what}"]
    for path, check, message in result.findings:
        kind = "not enrolled" if result.error or check in UNUSABLE else "warning"
        shown.append(f"  {kind}: {printable(path)}: {printable(message)}")
    return "\n".join(shown) + "\n"
