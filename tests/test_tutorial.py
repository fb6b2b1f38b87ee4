"""docs/tutorial.md followed line by line, in an unpacked archive without Git whose folder needs quoting.

The lines run as they are written; only ports are replaced by free ones, and the network is shrunk beforehand.
"""

import json
import os
import re
import signal
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
import yaml
from PIL import Image

from facenet.results import SIDES
from faults.project import SMALL
from tasks.reports import read_report
from tasks.shards import read_table
from tests import archive
from tests.servers import free_port
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.server]

NAME = "ünï faces #1"
BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)
STATE = ("source ", "export ")  # lines whose effect stays in the shell
PORTS = ("4200", "5000", "5001")
HEALTH = {
    "make ui": "5000/health",
    "MLFLOW_TRACKING_URI=sqlite:///mlflow.db mlflow models serve": "5001/ping",
}
SCHEDULE = "python -m flows.training serve"
COMPARED = 40  # pairs
NEAR = 0.05  # of squared distances up to 8
EACH_ANSWER = """
import json, sys
for answer in model.compare(map(tuple, json.load(open(sys.argv[1])))):
    print(json.dumps({**answer.to_dict(), "printed": str(answer)}))
"""


Pairs = list[tuple[str, str]]


@dataclass
class Reader:
    """Somebody who types the lines of the tutorial; `printed` is what each of them printed."""

    folder: Path
    environment: dict[str, str]
    ports: dict[str, str]
    printed: dict[str, str] = field(default_factory=dict)
    _state: list[str] = field(default_factory=list)
    _servers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def types(self, line: str) -> None:
        """Run a line and wait until it ends, or, if it is a server, until it answers."""
        typed = self._with_free_ports(line)
        if line.startswith(STATE):
            self._state.append(typed)
        elif health := next((where for name, where in HEALTH.items() if line.startswith(name)), None):
            self._starts(typed)
            address = self._with_free_ports(f"http://127.0.0.1:{health}")
            wait_for(lambda: self._answers(address))
        elif line.startswith(SCHEDULE):
            self._starts(typed)
            wait_for(self._deployed)
        else:
            self.printed[line] = self.runs(*self._shell(typed))

    def runs(self, *command: str) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def leaves(self) -> None:
        """Stop all servers."""
        for process in self._servers:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
        stop = self._shell("prefect server stop")
        subprocess.run(stop, cwd=self.folder, env=self.environment, capture_output=True, check=False)

    def _shell(self, line: str) -> list[str]:
        return ["bash", "-ec", "\n".join([*self._state, line])]

    def _with_free_ports(self, line: str) -> str:
        for documented, free in self.ports.items():
            line = line.replace(documented, free)
        return line

    def _starts(self, line: str) -> None:
        log = (self.folder / f"server-{len(self._servers)}.log").open("wb")
        self._servers.append(
            subprocess.Popen(
                self._shell(line),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        )

    def _answers(self, address: str) -> bool:
        assert self._servers[-1].poll() is None, self._last_log()
        with suppress(requests.RequestException):  # it does not listen yet
            return requests.get(address, timeout=10).ok
        return False

    def _deployed(self) -> bool:
        assert self._servers[-1].poll() is None, self._last_log()
        address = self._with_free_ports("http://127.0.0.1:4200/api/deployments/filter")
        with suppress(requests.RequestException):  # the server does not listen yet
            return bool(requests.post(address, json={}, timeout=60).json())
        return False

    def _last_log(self) -> str:
        return (self.folder / f"server-{len(self._servers) - 1}.log").read_text()[-3000:]


@pytest.fixture(scope="module")
def reader(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader with a shrunk archive, unpacked into a folder with a name that needs quoting."""
    place = tmp_path_factory.mktemp("tutorial")
    folder = place / NAME
    archive.unpack(root, folder)
    for file in (folder / "params.yaml", folder / "recipes" / "default.yaml"):
        params = yaml.safe_load(file.read_text())
        for section, values in SMALL.items():
            params[section].update(values)
        file.write_text(yaml.safe_dump(params, sort_keys=False))
    ports = {documented: str(free_port()) for documented in PORTS}
    environment = archive.environment(archive.write_python(place / "tools"), place / "tools")
    named = {"PORT": ports["5000"], "PREFECT_SERVER_API_PORT": ports["4200"]}  # those no line names
    reader = Reader(folder, {**environment, **named}, ports)
    yield reader
    reader.leaves()


def lines(block: str) -> list[str]:
    """Return the commands of a block, one per line that does not continue the one before."""
    return re.sub(r"(?:\\|(\|))\n\s*", r"\1 ", block).splitlines()


def test_the_tutorial_works_and_its_answers_are_the_stage_s_decisions(
    root: Path, reader: Reader, orl_photos: list[tuple[str, bytes]]
) -> None:
    put_own_photos(reader.folder, orl_photos)
    put_first_photos(reader.folder, orl_photos)
    (reader.folder / "photo.jpg").write_bytes(orl_photos[0][1])
    pairs: Pairs = []
    for language, block in BLOCK.findall((root / "docs" / "tutorial.md").read_text()):
        if "left.jpg" in block and not pairs:
            decisions, pairs = scored_pairs(reader.folder)
        if language == "python":
            answers = check_answers(reader, block, decisions, pairs)
            continue
        for line in lines(block):
            reader.types(line)
    printed = reader.printed
    assert "PREFECT_SERVER_ANALYTICS_ENABLED=false" in (reader.folder / ".venv/bin/activate").read_text()
    assert "same person\n" in printed["facenet verify ann-1.jpg ann-2.jpg"]
    assert re.search(r"^  Ann  probability", printed["facenet identify group.jpg"], re.MULTILINE)
    assert "facenet version 1" in printed["facenet results"]
    ran = re.findall(r"^Running stage '(\w+)'", printed["dvc exp run -S evaluate.sweep=grid"], re.MULTILINE)
    assert [stage for stage in ran if stage not in ("fingerprint", "inputs")] == ["evaluate", "register"]
    (face,), (served,) = (json.loads(printed[line])["predictions"] for line in printed if "base64" in line)
    assert face["faces_found"] == 1
    check_served(reader, served, answers, pairs)
    assert read_report(reader.folder / "reports" / "ingest.json")["identities"] == 20
    assert not (reader.folder.parent / "mlflow.db").exists()
    assert {path.name for path in reader.folder.parent.iterdir()} == {NAME, "tools"}


def put_own_photos(folder: Path, photos: list[tuple[str, bytes]]) -> None:
    """Put five photos each of twenty people into photos/, as step 6 suggests."""
    for person in dict.fromkeys(name for name, _ in photos[: 20 * 10]):
        (folder / "photos" / f"Person {person}").mkdir()
        own = [photo for name, photo in photos if name == person]
        for number, photo in enumerate(own[:5]):
            (folder / "photos" / f"Person {person}" / f"{number}.pgm").write_bytes(photo)


def put_first_photos(folder: Path, photos: list[tuple[str, bytes]]) -> None:
    """Put two photos of one person, and another of theirs next to somebody else, as step 1 takes them."""
    first, second, third, other = (Image.open(BytesIO(photos[number][1])) for number in (0, 1, 2, 25))
    group = Image.new("L", (third.width + other.width, third.height))
    group.paste(third)
    group.paste(other, (third.width, 0))
    for name, image in (("ann-1", first), ("ann-2", second), ("group", group)):
        image.save(folder / f"{name}.jpg", quality=95)


def scored_pairs(folder: Path) -> tuple[pd.DataFrame, Pairs]:
    """Return decisions of the evaluation and their photos; left.jpg and right.jpg are the first two."""
    decisions = pd.read_csv(folder / "reports" / "decisions.csv")
    decisions = decisions.iloc[:: len(decisions) // COMPARED]
    files = photo_files(folder, {*decisions["left_name"], *decisions["right_name"]})
    pairs = [
        (str(files[left]), str(files[right]))
        for left, right in zip(decisions["left_name"], decisions["right_name"], strict=True)
    ]
    for name, file in zip(("left.jpg", "right.jpg"), pairs[0], strict=True):
        (folder / name).write_bytes(Path(file).read_bytes())
    return decisions, pairs


def check_answers(reader: Reader, block: str, decisions: pd.DataFrame, pairs: Pairs) -> pd.DataFrame:
    """Run the tutorial's Python on one pair, then on more, and compare with reports/decisions.csv."""
    python = str(reader.folder / ".venv" / "bin" / "python")
    printed = reader.runs(python, "-c", block).splitlines()[-1]
    (reader.folder / "pairs.json").write_text(json.dumps(pairs))
    out = reader.runs(python, "-c", block + EACH_ANSWER, "pairs.json")
    answers = pd.DataFrame([json.loads(line) for line in out.splitlines() if line.startswith('{"')])
    assert printed == answers["printed"][0]
    assert printed.startswith("same person" if answers["match"][0] else "different people")
    assert "not supported: measured on 10 people" in printed
    # A fold has its own mean and threshold, the model the means of both: distances agree, and so do decisions
    # unless the distance lies between the two thresholds.
    distances = decisions["distance"].to_numpy()
    assert answers["distance"].to_numpy() == pytest.approx(distances, abs=NEAR)
    thresholds = np.stack([decisions["threshold"].to_numpy(), answers["threshold"].to_numpy()])
    decided = (distances < thresholds.min(axis=0) - NEAR) | (distances > thresholds.max(axis=0) + NEAR)
    assert decided.mean() > 0.5
    stage = (decisions["distance"] < decisions["threshold"]).to_numpy()
    assert (answers["match"].to_numpy() == stage)[decided].all()
    return answers


def check_served(reader: Reader, first: dict[str, Any], answers: pd.DataFrame, pairs: Pairs) -> None:
    """Compare what the server answers on the tutorial's pair, and on the others, with `answers`."""
    rows = [
        {side: b64encode(Path(file).read_bytes()).decode() for side, file in zip(SIDES, pair, strict=True)}
        for pair in pairs
    ]
    address = f"http://127.0.0.1:{reader.ports['5001']}/invocations"
    response = requests.post(address, json={"dataframe_records": rows}, timeout=300)
    assert response.status_code == 200, response.text
    served = pd.DataFrame(response.json()["predictions"])
    assert first["distance"] == pytest.approx(served["distance"][0], abs=1e-5)
    assert served["error"].isna().all()
    for name in ("distance", "probability", "threshold"):
        assert served[name].to_numpy() == pytest.approx(answers[name].to_numpy(), abs=1e-5)
    assert (served["match"] == answers["match"]).all()


def photo_files(folder: Path, names: set[str]) -> dict[str, Path]:
    """Write the photos of `names` as they are in data/raw to files, and return these by name."""
    pairs = pd.read_parquet(folder / "data" / "raw" / "pairs.parquet")
    ids = {
        name: image_id
        for side in ("left", "right")
        for name, image_id in zip(pairs[f"{side}_name"], pairs[side], strict=True)
    }
    table = read_table(folder / "data" / "raw", "images", ["image_id", "image"])
    stored = dict(zip(table["image_id"].to_pylist(), table["image"].to_pylist(), strict=True))
    files = {}
    for number, name in enumerate(sorted(names)):
        files[name] = folder.parent / "tools" / f"{number}.png"
        files[name].write_bytes(stored[ids[name]])
    return files
