"""Checkpoints: everything a run needs to resume exactly where it stopped, written atomically."""

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from facenet.atomic import atomic_path, remove_temporaries
from facenet.errors import WeightsInvalid

State = dict[str, Any]  # tensors, numbers, texts, and lists and dicts of them


class Checkpoints:
    """The last and the best checkpoint of one run, `last.pt` and `best.pt` in the folder of the run.

    The best one exists only if the run saves it. Both are loaded with weights_only, so that loading executes
    no code. `batch.safetensors` is the batch at which a run failed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.best = folder / "last.pt", folder / "best.pt"
        self.batch = folder / "batch.safetensors"

    def save(self, state: State, *, best: bool = False) -> None:
        """Replace the last checkpoint, and the best one if `best`.

        Raises:
            OSError: the disk is full; the previous checkpoint is kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_temporaries(self.folder)
        with atomic_path(self.last) as temporary:
            torch.save(state, temporary)
            if best:  # first: a run killed in between repeats the epoch, and finds the same best again
                link = self.folder / "best.new"
                link.unlink(missing_ok=True)
                os.link(temporary, link)  # instead of writing the same bytes twice
                link.replace(self.best)

    def save_batch(self, faces: torch.Tensor, labels: torch.Tensor, *, step: int) -> None:
        """Save the uint8 faces (N, S, S, 3) and labels (N,) of a step."""
        tensors = {"faces": faces.contiguous(), "labels": labels, "step": torch.tensor(step)}
        with atomic_path(self.batch) as temporary:
            save_file(tensors, temporary)

    def load(self, *, best: bool = False) -> State | None:
        """Return the last or the best checkpoint, with tensors on the CPU, or None if there is none.

        Raises:
            WeightsInvalid: the file is damaged.
        """
        path = self.best if best else self.last
        if not path.exists():
            return None
        try:
            state: State = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # RuntimeError, EOFError, UnpicklingError ...
            raise WeightsInvalid(
                f"The checkpoint {path} cannot be read: {error}. Remove {self.folder} to start over."
            ) from error
        return state

    def remove(self) -> None:
        """Remove the folder of the run."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
