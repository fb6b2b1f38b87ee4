"""`facenet gallery`: what the gallery is bound to, and its change to another model."""

import argparse
import dataclasses

from commands.exit_codes import OK
from commands.galleries import add_gallery, existing_gallery
from commands.models import add_model, evaluated, load_model
from commands.output import printable, progress, show, show_json


def add(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `facenet gallery`."""
    parser.description = "Show the state of the gallery, or change its model."
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = actions.add_parser("info", help="show counts, place and model of the gallery")
    migrate = actions.add_parser("migrate", help="embed the stored photos again with another model")
    migrate.description = (
        "Embed the stored photos of the gallery again with a model, and bind the gallery to it. The gallery "
        "works with its old model until then."
    )
    drop = "remove photos that cannot be embedded again, and people without any other"
    migrate.add_argument("--drop", action="store_true", help=drop)
    add_model(migrate)
    for action in (info, migrate):
        add_gallery(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Show the state, or change the model.

    Raises:
        GalleryMissing: there is no gallery.
        MigrationRefused: the bytes of a photo were not stored, or show no face.
        StoreFailed: the database cannot be read or written.
    """
    return _migrate(arguments) if arguments.action == "migrate" else _info(arguments)


def _info(arguments: argparse.Namespace) -> int:
    with existing_gallery(arguments) as gallery:
        info = gallery.info()
    if arguments.json:
        show_json(dataclasses.asdict(info))
    else:
        show(
            f"{printable(info.place)}\n"
            f"  people   {info.people}\n"
            f"  photos   {info.photos}, of which {info.stored} are stored\n"
            f"  model    {info.model_digest[:12]}, templates of {info.template_size} numbers\n"
            f"  created  {info.created_at[:10]}\n"
        )
    return OK


def _migrate(arguments: argparse.Namespace) -> int:
    existing_gallery(arguments).close()  # before the model is loaded: a new gallery has nothing to change
    from service.gallery.migration import migrate

    model = load_model(arguments)
    evaluated(model)
    with progress(0, name="migrate") as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        done = migrate(
            arguments.gallery,
            model_digest=model.digest,
            template_size=model.template_size,
            embed=model.embed,
            drop=arguments.drop,
            progress=advance,
        )
    if arguments.json:
        show_json({**dataclasses.asdict(done), "digest": model.digest})
    else:
        dropped = f", {done.dropped} removed" if done.dropped else ""
        show(f"{done.photos} photos embedded again{dropped}; {done.people} people are enrolled\n")
    return OK
