"""Everything a run needs to go on exactly where it was, in one file that appears whole or not at all."""

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
    """The last and the best checkpoint of one run, `last.pt` and `best.pt` in a folder of its own.

    Both load with weights_only, so a checkpoint runs no code. `batch.safetensors` is the batch at which a run
    was given up.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last, self.best = folder / "last.pt", folder / "best.pt"
        self.batch = folder / "batch.safetensors"

    def save(self, state: State, *, best: bool = False) -> None:
        """Replace the last checkpoint, and the best one too if this is it.

        Raises:
            OSError: the disk is full; the former checkpoint is kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_temporaries(self.folder)
        with atomic_path(self.last) as temporary:
            torch.save(state, temporary)
        if best:
            link = self.folder / "best.new"
            link.unlink(missing_ok=True)
            os.link(self.last, link)  # the same bytes a second time would cost a second write
            link.replace(self.best)

    def save_batch(self, faces: torch.Tensor, labels: torch.Tensor, *, step: int) -> None:
        """Keep the uint8 faces (N, S, S, 3) and labels (N,) of a step."""
        tensors = {"faces": faces.contiguous(), "labels": labels, "step": torch.tensor(step)}
        with atomic_path(self.batch) as temporary:
            save_file(tensors, temporary)

    def load(self) -> State | None:
        """Return the last checkpoint, on the CPU, or None if there is none.

        Raises:
            WeightsInvalid: the file is damaged.
        """
        if not self.last.exists():
            return None
        try:
            state: State = torch.load(self.last, map_location="cpu", weights_only=True)
        except Exception as error:  # damage shows as RuntimeError, EOFError, UnpicklingError ...
            raise WeightsInvalid(
                f"The checkpoint {self.last} cannot be read: {error}. Remove {self.folder} to start over."
            ) from error
        return state

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
