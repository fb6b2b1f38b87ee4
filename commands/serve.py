"""`facenet serve`: the HTTP API on this machine, or for others with tokens."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from commands.exit_codes import OK
from commands.models import RUNTIME, RUNTIMES, SITE, site_of
from commands.numbers import number_between
from commands.output import complain
from commands.path_arguments import FILES, completed

if TYPE_CHECKING:
    from service.api.decisions import Decisions
    from service.api.settings import Settings

MEGABYTE = 2**20


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet serve`."""
    parser.description = (
        "Answer requests over HTTP: verify, identify and embed faces, enrol and remove people. By default "
        "only this machine can connect; as soon as others can, every request needs a token of `facenet "
        "token create`. Use a reverse proxy for TLS."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="name or address to listen on (default: 127.0.0.1)")
    port = number_between(0, 65535, whole=True)
    add("--port", type=port, default=8000, help="0 for a free one (default: 8000)")
    model = (
        "models:/NAME@ALIAS, models:/NAME/VERSION, a folder or pretrained (default: the champion, else the "
    )
    add("--model", metavar="MODEL", help=f"{model}workspace's model, else pretrained)")
    completed(add("--site", metavar="FILE", help=SITE), FILES)
    add("--runtime", choices=RUNTIMES, default="auto", help=f"{RUNTIME} (default: auto)")
    gallery = "path or URL of the gallery (default: FACENET_GALLERY, else gallery/gallery.db)"
    add("--gallery", metavar="GALLERY", help=gallery)
    log = (
        "path or URL of the decision log, or none (default: FACENET_MONITORING, else monitoring/decisions.db)"
    )
    add("--log", metavar="LOG", help=log)
    place = "name of this place in the decision log (default: that of the site calibration, else default)"
    add("--log-site", metavar="NAME", help=place)
    allowed = "further name in the Host header, such as that of a reverse proxy; requests then need a token"
    add("--allow-host", action="append", default=[], metavar="NAME", help=allowed)
    add("--require-tokens", action="store_true", help="require a token on this machine as well")
    whole = number_between(1, None, whole=True)
    add("--max-megabytes", type=whole, default=20, metavar="N", help="of one request (default: 20)")
    add("--max-megapixels", type=whole, default=25, metavar="N", help="of one photo (default: 25)")
    add("--max-requests", type=whole, default=64, metavar="N", help="at once (default: 64)")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ParamsInvalid: the address cannot be used, or there is no token where one is needed.
        WeightsInvalid: --site is not the file of a site calibration.
    """
    from service.api.server import check_tokens, listen  # imported late: `--help` does not need them
    from service.api.server import run as serve
    from service.api.tokens import TokenStore

    settings, tokens = settings_of(arguments), TokenStore()
    check_tokens(settings, tokens)
    with listen(settings) as listener:
        host, port = listener.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        kind = "every request needs a token" if settings.needs_tokens else "for this machine, without tokens"
        complain(f"Listening on http://{address}, {kind}. Ctrl-C ends it.")
        _share_cores(settings.threads)
        from facenet.site_calibration.calibration import SiteCalibration
        from service.api.app import create_app
        from service.api.models import source_of
        from service.pages.router import add_pages

        site = site_of(arguments.site)
        if isinstance(site, str):
            SiteCalibration.read(Path(site))  # the model is loaded in the background, when nobody watches
        source = source_of(
            arguments.model,
            max_pixels=settings.limits.pixels,
            runtime=arguments.runtime,
            site=site,
        )
        app = create_app(settings, tokens, source, arguments.gallery, _decisions(arguments))
        add_pages(app)
        serve(app, settings, listener)
    return OK


def _decisions(arguments: argparse.Namespace) -> Decisions:
    """Return where decisions are logged.

    Raises:
        ParamsInvalid: --log or FACENET_MONITORING_DAYS is not valid.
    """
    from service.api.decisions import Decisions
    from tasks.monitoring.background import decision_log
    from tasks.monitoring.store import DecisionStore

    log = decision_log(arguments.log)
    opened = None if log is None else partial(DecisionStore.open, arguments.log)
    return Decisions(log, arguments.log_site, opened)


def _share_cores(threads: int) -> None:
    """Divide the cores among the threads that run the model; torch reads this when it is loaded."""
    from facenet.cores import cores

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // threads)))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads sleep


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings that the arguments describe."""
    from service.api.settings import Limits, Settings

    limits = Limits(
        body=arguments.max_megabytes * MEGABYTE,
        bodies=max(Limits.bodies, 4 * arguments.max_megabytes * MEGABYTE),
        pixels=arguments.max_megapixels * 1_000_000,
        requests=arguments.max_requests,
    )
    return Settings(
        host=arguments.host,
        port=arguments.port,
        allowed_hosts=tuple(arguments.allow_host),
        require_tokens=arguments.require_tokens,
        limits=limits,
    )
