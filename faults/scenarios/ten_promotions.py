"""Ten promotions at once, of ten versions in ten processes: one winner, and a history that agrees with it."""

import subprocess
import sys
from pathlib import Path

from faults.errors import FaultFound
from faults.project import ROOT
from faults.tiny_models import variables
from faults.tracking_server import tracking_server

MODEL = "facenet"
# The last one is the best; the first has the alias champion before.
ACCURACIES = (0.90, 0.95, 0.91, 0.97, 0.92, 0.96, 0.93, 0.98, 0.94, 0.99)
TAGS = {"protocol": "p", "pairs_sha256": "a", "pairs_used": "6000", "pairs_total": "6000"}
PROMOTE = """
import sys
from tasks.params.register import PromotionParams, RegisterParams
from tasks.promotion.aliases import promote
rule = PromotionParams(metric="accuracy", min_gain=0.0, margin=None)
print("ready", flush=True)
sys.stdin.readline()
promote(RegisterParams(model="facenet", gates={}, promotion=rule), number=int(sys.argv[1]))
"""


def run(folder: Path) -> None:
    """Promote ten versions at once."""
    with (
        tracking_server(folder / "server") as server,
        variables(MLFLOW_TRACKING_URI=server.uri, DVC_ROOT=str(folder)),
    ):
        numbers = [_register(accuracy) for accuracy in ACCURACIES]
        processes = [_process(number, folder) for number in numbers]
        for process in processes:  # the imports take seconds
            _line(process)
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        if failed := [process.args for process in processes if process.wait()]:
            raise FaultFound(f"{len(failed)} promotions failed")
        _check(numbers[-1])


def _register(accuracy: float) -> int:
    from tasks.tracking import registry, start_run

    def save(place: Path, model_id: str) -> None:
        place.mkdir()
        (place / "MLmodel").write_text(f"model_id: {model_id}\n")

    training = start_run(name="t", tags={})
    metrics = {"accuracy": accuracy}
    return registry.create_version(MODEL, training, save=save, tags=TAGS, metrics=metrics).number


def _process(number: int, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROMOTE, str(number)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / f"{number}.log").open("w"),
        text=True,
    )


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise FaultFound(f"a promotion ended with {process.wait()}")
    return line


def _check(best: int) -> None:
    from tasks.tracking import history, registry

    entries = history.entries(MODEL)
    records = [entry.record for entry in entries]
    if [record["number"] for record in records] != list(range(1, len(ACCURACIES) + 1)):
        raise FaultFound(f"the history has the numbers {[record['number'] for record in records]}")
    if wrong := history.gaps(records):
        raise FaultFound(" ".join(wrong))
    champion = None
    for record in records:
        if record["action"] == "promoted" and record["previous_champion"] != champion:
            raise FaultFound(
                f"record {record['number']} replaced {record['previous_champion']}, not {champion}"
            )
        champion = record["champion"]
    aliases = registry.aliases(MODEL)
    if not champion == aliases["champion"] == best:
        raise FaultFound(f"champion {aliases['champion']}, {champion} by the history, the best is {best}")
    actions = [record["action"] for record in records]
    print(f"   {actions.count('promoted')} promoted one after another, {actions.count('refused')} refused")
