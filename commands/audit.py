"""`facenet audit`: which photos of a workspace may have a wrong name."""

from __future__ import annotations

import argparse
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exit_codes import NO, OK
from commands.models import MODEL
from commands.numbers import number_between
from commands.output import printable, progress, show, show_json
from commands.path_arguments import FOLDERS, completed
from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from tasks.audit.suspects import Suspect
    from tasks.audit.work import Audited

SHOWN = 10  # suspects printed
TITLES = {
    "outlier": "photos under a wrong name",
    "split": "pairs of names for one person",
    "merged": "photos of another person under one name",
    "duplicate": "copies of a photo under another name",
    "unusable": "faces of no use",
    "burst": "photos of a series of equal photos",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet audit`."""
    parser.description = (
        "Find photos under a wrong name, people under two names, names of two people, copies and unusable "
        "faces among the aligned faces of a workspace. Writes label_audit.parquet, .json and .html, and "
        "changes nothing else without --auto. Exit code 0: nothing is suspicious; 1: there are suspects."
    )
    completed(parser.add_argument("--model", metavar="MODEL", help=MODEL), FOLDERS)
    workspace = "the workspace (default: the working folder)"
    completed(
        parser.add_argument("--workspace", type=Path, default=Path(), metavar="DIR", help=workspace), FOLDERS
    )
    out = "folder for the files (default: reports/ of the workspace)"
    completed(parser.add_argument("--out", type=Path, metavar="DIR", help=out), FOLDERS)
    rate = number_between(0, 1, exclusive=True)
    least = "least probability of a wrong name that is listed (default: 0.2)"
    parser.add_argument("--suspicious", type=rate, metavar="P", help=least)
    auto = (
        "add the suggested decisions that are at least this probable to the file that ingest.decisions names"
    )
    parser.add_argument("--auto", type=rate, metavar="P", help=auto)
    parser.add_argument("--json", action="store_true", help="print the report and all suspects as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Audit the workspace; return 1 if there are suspects.

    Raises:
        ParamsInvalid: there is no such workspace, or --auto has no file of decisions.
        DataInvalid: it has no faces, or the decisions are not valid.
        SourceInvalid: there are fewer than two identities, or the registry has no such model.
        WeightsInvalid: the model is missing or damaged.
    """
    if not arguments.workspace.is_dir():
        raise ParamsInvalid(f"--workspace: there is no folder {arguments.workspace}.")
    out = arguments.out.absolute() if arguments.out else None
    model = arguments.model
    if model and Path(model).is_dir():
        model = str(Path(model).absolute())
    with chdir(arguments.workspace):
        done, decided = _audit(model, out, arguments.suspicious, arguments.auto)
    if arguments.json:
        from tasks.audit.suspects import table_of

        listed = table_of(done.suspects).to_dict("records")
        show_json({**done.report, "decided_now": decided, "listed": listed})
    else:
        show(text(done, decided, arguments.auto))
    return NO if done.suspects else OK


def _audit(
    model: str | None, out: Path | None, suspicious: float | None, auto: float | None
) -> tuple[Audited, int]:
    """Return the audit of the workspace in the working folder, and how many decisions it made."""
    from tasks import paths
    from tasks.audit.automatic import decide
    from tasks.audit.stored import AuditPaths
    from tasks.audit.work import run_audit
    from tasks.params import load_params

    params = load_params()
    decisions = params.ingest.decisions
    if auto is not None and decisions is None:
        raise ParamsInvalid("--auto: ingest.decisions is null, so that ingest would apply no decision.")
    options: dict[str, Any] = {} if suspicious is None else {"suspicious": suspicious}
    done = run_audit(
        params,
        AuditPaths(reports=out or paths.REPORTS),
        progress=lambda total, name: progress(total, name=name, unit="faces"),
        model=model,
        **options,
    )
    if auto is None:
        return done, 0
    return done, len(decide(Path(str(decisions)), done.suspects, auto))


def text(done: Audited, decided: int, auto: float | None) -> str:
    """Return the counts by kind, the first suspects, and what to do next."""
    report = done.report
    lines = [f"{report['faces']} faces of {report['identities']} people, by {printable(report['model'])}"]
    lines += [f"  {report['suspects'][kind]:6d} {title}" for kind, title in TITLES.items()]
    if report["decided"]:
        lines.append(f"  {report['decided']:6d} more that are decided already")
    lines += ["", *map(line, done.suspects[:SHOWN])] if done.suspects else []
    if len(done.suspects) > SHOWN:
        lines.append(f"... and {len(done.suspects) - SHOWN} more: label_audit.html shows them")
    if auto is not None:
        lines.append(f"{decided} decisions of a probability of at least {auto:g} were written.")
    if done.suspects:
        lines += ["", "Decide about them with `facenet review`, then run `dvc repro`."]
    return "\n".join(lines) + "\n"


def line(suspect: Suspect) -> str:
    """Return a suspect in one line."""
    target = f" {'into' if suspect.action == 'merge' else 'to'} {suspect.target}" if suspect.target else ""
    what = suspect.photo or suspect.identity
    return printable(f"{suspect.probability:.2f} {suspect.kind}: {what}: {suspect.action}{target}")
