"""`python -m tasks.audit`: audit the workspace in the working folder; `facenet audit` for programs."""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from tqdm import tqdm

from facenet.audit import SUSPICIOUS
from tasks.audit.stored import AuditPaths
from tasks.audit.work import run_audit
from tasks.entry import stage_main
from tasks.params import load_params


def main(arguments: Sequence[str] | None = None) -> None:
    """Audit as the command line says, and print the counts of suspects."""
    parser = argparse.ArgumentParser(prog="python -m tasks.audit", description=__doc__)
    parser.add_argument("--model", help="see `facenet audit --help`")
    parser.add_argument("--suspicious", type=float, default=SUSPICIOUS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    bar = partial(tqdm, mininterval=10, file=sys.stderr, unit="face")

    def progress(total: int, name: str) -> Any:
        return bar(total=total, desc=name)

    done = run_audit(
        load_params(), AuditPaths(), progress=progress, model=options.model, suspicious=options.suspicious
    )
    sys.stdout.write(json.dumps(done.report["suspects"], allow_nan=False) + "\n")


if __name__ == "__main__":
    stage_main(main)
