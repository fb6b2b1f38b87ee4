"""The `facenet` command: its table of subcommands, and how an error becomes one line and an exit code."""

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

from commands import (
    audit,
    calibrate,
    cluster,
    compare,
    completion,
    detect,
    doctor,
    embed,
    enrol,
    export,
    forget,
    gallery,
    identify,
    monitor,
    people,
    remove,
    reproduce,
    results,
    review,
    serve,
    summary,
    token,
    verify,
)
from commands.exit_codes import ERROR, INTERRUPTED
from commands.output import complain
from tasks.entry import stage_main

PACKAGES = ("commands", "facenet", "flows", "operations", "service", "tasks")
EPILOG = (
    "Exit codes: 0 done, or the answer is yes; 1 the answer is no, or a photo could not be used; "
    "2 there is no answer, and standard error says why."
)


class Command(NamedTuple):
    """One subcommand. extra: the extra of the package that it needs; empty if it needs none."""

    module: ModuleType
    help: str
    extra: str = ""


COMMANDS = {
    "verify": Command(verify, "say whether two photos show the same person"),
    "compare": Command(compare, "compare each of several photos with each other"),
    "embed": Command(embed, "write the templates of photos to a file", "service"),
    "detect": Command(detect, "detect the faces in photos"),
    "enrol": Command(enrol, "remember people by photos", "service"),
    "identify": Command(identify, "say which enrolled people the faces in photos show", "service"),
    "people": Command(people, "list the enrolled people", "service"),
    "remove": Command(remove, "remove a person from the gallery", "service"),
    "forget": Command(forget, "remove a person from everything that the project has", "pipeline"),
    "gallery": Command(gallery, "show the state of the gallery, or change its model", "service"),
    "cluster": Command(cluster, "sort photos into one folder per person"),
    "audit": Command(audit, "find photos of the workspace under a wrong name", "pipeline"),
    "calibrate": Command(calibrate, "measure the threshold for your own people", "pipeline"),
    "export": Command(export, "write a model as ONNX files", "export"),
    "results": Command(results, "print the metrics of the last run of the pipeline", "pipeline"),
    "reproduce": Command(reproduce, "train a registered version again, and compare the weights", "pipeline"),
    "summary": Command(summary, "print the layers of a network"),
    "review": Command(review, "decide about the suspects of an audit, face by face", "service"),
    "serve": Command(serve, "answer requests about faces over HTTP", "service"),
    "monitor": Command(monitor, "say whether the decisions of a day look as they should", "service"),
    "token": Command(token, "create, list and revoke the tokens of `facenet serve`", "service"),
    "doctor": Command(doctor, "find what is wrong with the installation and the workspace"),
    "completion": Command(completion, "print a script that completes commands and options in a shell"),
}


class _Version(argparse.Action):
    """Print the version; its lookup takes too long to do it for every command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"{parser.prog} {version('facenet-pipeline')}\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; imports nothing that a command needs to run."""
    about = "Detect, compare, find and remember faces, and train the model that does."
    parser = argparse.ArgumentParser(prog="facenet", description=about, epilog=EPILOG)
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=command.help)
        command.module.add(subparser)
    return parser


def main(words: Sequence[str] | None = None) -> None:
    """Run the `facenet` command with `words`, or the arguments of this process, and exit with its code."""
    stage_main(lambda: _main(words), error_code=ERROR)


def _main(words: Sequence[str] | None) -> None:
    parser = build_parser()
    arguments = parser.parse_args(words, argparse.Namespace(parser=parser))
    command = COMMANDS[arguments.command]
    try:
        sys.exit(command.module.run(arguments))
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] in PACKAGES:
            raise
        complain(missing_package(error.name, arguments.command, command.extra))
        sys.exit(ERROR)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def missing_package(package: str, command: str, extra: str) -> str:
    """Return the line about a package that is not installed, with the command that installs it."""
    wanted = f"facenet-pipeline[{extra}]" if extra else "facenet-pipeline"
    why = f"they are the extra `{extra}`" if extra else "the installation is damaged"
    return (
        f"`facenet {command}` needs packages that are not installed, such as {package}: {why}. "
        f"Run `pip install '{wanted}'`."
    )


if __name__ == "__main__":
    main()
