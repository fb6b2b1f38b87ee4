"""The processes of a benchmark: each side gets the same photos and cores."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from facenet.errors import SourceInvalid

DETECT_ROUNDS, EMBED_ROUNDS = (Path(__file__).with_name(f"{name}_rounds.py") for name in ("detect", "embed"))
PEER = "FACENET_PEER_PYTHON"
PEER_PYTHON = Path(__file__).parent / ".peer" / "bin" / "python"


def peer_python() -> str:
    """Return the interpreter with facenet-pytorch: FACENET_PEER_PYTHON, or that of `make bench-align`.

    Raises:
        SourceInvalid: it does not exist.
    """
    python = os.environ.get(PEER, str(PEER_PYTHON))
    if not Path(python).exists():
        raise SourceInvalid(
            f"There is no {python}. Run `make bench-align`, or set {PEER} to a Python with facenet-pytorch."
        )
    return python


def environment_of(python: str, threads: int) -> dict[str, str]:
    """Return the environment of a side; the baseline's does not have the settings of our stages."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if python == sys.executable:
        return environment | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    environment.pop("GOMP_SPINCOUNT", None)
    return environment


class Side:
    """Processes that run rounds of `script`, each on its part of the photos."""

    def __init__(
        self, kind: str, python: str, *, processes: int, threads: int, script: Path = DETECT_ROUNDS
    ) -> None:
        environment = environment_of(python, threads)
        command = [python, str(script), kind, str(threads)]
        self._children = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
            for _ in range(processes)
        ]
        self.peak_memory_mb, self.torch = 0.0, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.terminate()
            child.wait()

    def round(self, photos: Sequence[str], batch: int) -> float:
        """Return the images per second of one round, determined by the slowest process."""
        slowest = max(float(answer["seconds"]) for answer in self._ask(photos, batch, faces=False))
        return len(photos) / slowest

    def faces(self, photos: Sequence[str], batch: int) -> list[Any]:
        """Return the faces of each photo: a list of (box, landmarks)."""
        count, found = len(self._children), [None] * len(photos)
        for number, answer in enumerate(self._ask(photos, batch, faces=True)):
            found[number::count] = answer["faces"]
        return found

    def _ask(self, photos: Sequence[str], batch: int, *, faces: bool) -> list[dict[str, Any]]:
        count = len(self._children)
        for number, child in enumerate(self._children):
            assert child.stdin is not None
            request = {"photos": photos[number::count], "batch": batch, "faces": faces}
            child.stdin.write(f"{json.dumps(request)}\n")
            child.stdin.flush()
        answers = [self._answer(child) for child in self._children]
        self.peak_memory_mb = max(self.peak_memory_mb, sum(a["peak_memory_mb"] for a in answers))
        self.torch = answers[0]["torch"]
        return answers

    @staticmethod
    def _answer(child: "subprocess.Popen[str]") -> dict[str, Any]:
        assert child.stdout is not None
        text = child.stdout.readline()
        if not text:
            raise SourceInvalid(f"{child.args!r} ended with exit code {child.wait()}; see its output above.")
        answer: dict[str, Any] = json.loads(text)
        return answer
