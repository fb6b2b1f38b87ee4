"""`facenet doctor`: what is wrong with this installation and workspace, and the command that fixes it."""

import argparse
import dataclasses
from collections.abc import Iterator

from commands.checks.finding import WRONG, Check, Finding, note, wrong
from commands.exit_codes import NO, OK
from commands.output import printable, show, show_json
from facenet.errors import FaceNetError
from tasks.redaction import redact


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet doctor`."""
    parser.description = (
        "Check installation, weights, workspace, disk, servers, the DVC remote and the GPU, and print what "
        "is wrong with the command that fixes it. Exit code 1: something is wrong."
    )
    parser.add_argument(
        "--json", action="store_true", help="print {ok, checks: [{check, state, message, fix}]}"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the findings of all checks; return 1 if something is wrong."""
    found = []
    for finding in diagnose():
        found.append(finding)
        if not arguments.json:
            show(line(finding))
    bad = [finding for finding in found if finding.state == WRONG]
    if arguments.json:
        show_json({"ok": not bad, "checks": [dataclasses.asdict(finding) for finding in found]})
    else:
        show(
            f"\n{len(bad)} of {len(found)} checks found something wrong.\n"
            if bad
            else "\nNothing is wrong.\n"
        )
    return NO if bad else OK


def diagnose() -> Iterator[Finding]:
    """Yield the findings of all checks, without passwords; a check that cannot run is a finding as well."""
    from commands.checks.listing import CHECKS  # imported late: `--help` does not need it

    for check in CHECKS:
        for finding in _run(check):
            yield dataclasses.replace(finding, message=redact(finding.message), fix=redact(finding.fix))


def _run(check: Check) -> Iterator[Finding]:
    name = check.__name__.removeprefix("check_")
    try:
        yield from check()
    except ModuleNotFoundError as error:
        message = f"not checked, since the package {error.name} is not installed"
        yield note(name, message, "pip install 'facenet-pipeline[pipeline]'")
    except (FaceNetError, OSError) as error:
        yield wrong(name, f"{type(error).__name__}: {' '.join(str(error).split())}", "do what it says")


def line(finding: Finding) -> str:
    """Return the lines for people: state, check and message, and the fix below."""
    state = finding.state.upper() if finding.state == WRONG else finding.state
    text = f"{state:<6} {finding.check}: {printable(finding.message)}\n"
    return text + (f"       fix: {finding.fix}\n" if finding.fix else "")
