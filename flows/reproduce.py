"""Train a registered version again from its commit and its data, and compare the weights bit for bit."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facenet.errors import FaceNetError
from flows import process
from flows.commit_copy import NotReproducible, commit_copy, environment, fetch_inputs
from tasks import paths
from tasks.tracking import Run
from tasks.tracking.model_uri import resolve_version
from tasks.tracking.provenance import FOLDER, LOCK
from tasks.tracking.registry import download_version


class NotReproduced(FaceNetError):
    """The weights are different; the message says by how much, and what else differs."""


def reproduce(uri: str, log: Callable[[str], None]) -> str:
    """Train the version `uri` again in a clone at its commit, and return what is equal.

    Raises:
        NotReproduced: the new weights have another sha256.
        NotReproducible: commit, data or dvc.lock of the version is missing, or training failed.
        SourceInvalid: the registry has no such version.
        TrackingFailed: the server cannot be reached or rejected a request.
    """
    from facenet.model import checked_card  # imported late: torch takes seconds

    version = resolve_version(uri)
    name = f"{version.model} version {version.number}"
    with tempfile.TemporaryDirectory() as scratch:
        files = download_version(version, Path(scratch))
        weights = files / paths.WEIGHTS.name
        card = checked_card(weights, files / paths.MODEL_CARD.name)
        if not card.commit:
            raise NotReproducible(f"{name} names no commit: it was trained outside of a Git repository.")
        commit = card.commit.removesuffix("-dirty")
        if commit != card.commit:
            log(
                f"{name} was trained with changes that are in no commit. Its parameters are those of its "
                "card; other changes are missing here."
            )
        lock = Run(version.run_id).read_file(f"{FOLDER}/{LOCK}")
        with commit_copy(commit, card.params, lock) as root:
            fetch_inputs(root, log)
            log(f"Training {name} again at commit {commit[:12]}")
            _train(root, card.machine.get("threads"), log)
            new = checked_card(root / paths.WEIGHTS, root / paths.MODEL_CARD)
            if new.weights_sha256 != card.weights_sha256:
                reasons = differences(card.machine, new.machine) + differences(card.data, new.data)
                stated = "; ".join(reasons) or "nothing that the model card records"
                raise NotReproduced(
                    f"{name} has weights with sha256 {card.weights_sha256}, but training again gave "
                    f"{new.weights_sha256}. {distance(weights, root / paths.WEIGHTS)} What differs: {stated}."
                )
    return f"{name} is reproduced bit for bit at commit {commit[:12]}: sha256 {card.weights_sha256}"


def _train(root: Path, threads: int | None, log: Callable[[str], None]) -> None:
    """Train without DVC, which would take the outputs from its cache, and with the same number of threads."""
    command = [sys.executable, "-m", "tasks.train"]
    code = process.run(command, log, env=environment(root, threads), folder=root)
    if code:
        raise NotReproducible(f"Training failed with exit code {code}. Its reason is in the lines above.")


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return one phrase for each entry that is not the same, such as "threads 2 instead of 4"."""
    return [
        f"{key} {new.get(key, 'not recorded')} instead of {old.get(key, 'not recorded')}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def distance(old: Path, new: Path) -> str:
    """Return a sentence about the weight that differs most between two files of one network."""
    from safetensors.torch import load_file

    left, right = load_file(old), load_file(new)
    if {name: tensor.shape for name, tensor in left.items()} != {n: t.shape for n, t in right.items()}:
        return "The networks have different layers."
    gaps = {name: float((left[name].double() - right[name].double()).abs().max()) for name in left}
    worst = max(sorted(gaps), key=gaps.__getitem__)
    return f"The largest difference of a weight is {gaps[worst]:.3g}, in {worst}."
