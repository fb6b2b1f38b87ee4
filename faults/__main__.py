"""`python -m faults [NAMES]`: try faults for real, one after another, and print a table of the results."""

import argparse
import importlib
import pkgutil
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from faults import scenarios
from faults.errors import NotPossible

FAILED = "FAILED"


def names() -> list[str]:
    """Return the scenarios, which are the modules of faults/scenarios, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen scenarios, or all, and exit with 1 if one has failed."""
    options = parse(arguments)
    if options.list:
        for name in names():
            print(f"{name:<32} {headline(name)}")
        return
    results = [trial(name, keep=options.keep) for name in options.names or names()]
    width = max(len("scenario"), *(len(name) for name, *_ in results))
    print(f"\n{'scenario':<{width}}  {'result':<8}  seconds")
    for name, result, seconds in results:
        print(f"{name:<{width}}  {result:<8}  {seconds:7.1f}")
    sys.exit(any(result == FAILED for _, result, _ in results))


def trial(name: str, *, keep: bool = False) -> tuple[str, str, float]:
    """Run one scenario in a new folder; return its name, `ok`, `FAILED` or `skipped`, and the seconds.

    keep: do not remove the folder of a scenario that failed.
    """
    print(f"== {name}: {headline(name)}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix=f"facenet-{name}-"))
    run: Callable[[Path], None] = importlib.import_module(f"{scenarios.__name__}.{name}").run
    start, result = time.monotonic(), "ok"
    try:
        run(folder)
    except NotPossible as reason:
        result = "skipped"
        print(f"   skipped: {reason}")
    except Exception:  # noqa: BLE001  # whatever is raised is the result of this scenario
        result = FAILED
        traceback.print_exc(file=sys.stdout)
        if keep:
            print(f"   its files: {folder}")
    seconds = time.monotonic() - start
    if not (keep and result == FAILED):
        shutil.rmtree(folder, ignore_errors=True)
    return name, result, seconds


def headline(name: str) -> str:
    """Return the first line of a scenario's docstring."""
    return (importlib.import_module(f"{scenarios.__name__}.{name}").__doc__ or "").partition("\n")[0]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return `names`, `list` and `keep`."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios to run (default: all)")
    parser.add_argument("--list", action="store_true", help="print the scenarios and exit")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a scenario that failed")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(names())):
        parser.error(f"unknown scenario {', '.join(unknown)}; there are: {', '.join(names())}")
    return options


if __name__ == "__main__":
    main()
