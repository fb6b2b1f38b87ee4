"""Every entry of the table is a loss, and reading it is fast."""

import subprocess
import sys
from importlib import import_module

import pytest

from facenet.loss_table import LOSSES, LossEntry
from facenet.losses.classification import ClassificationLoss
from facenet.losses.output import Loss


@pytest.mark.parametrize("entry", LOSSES.values(), ids=LOSSES)
def test_every_entry_names_a_loss_that_needs_what_it_says(entry: LossEntry) -> None:
    loss = getattr(import_module(entry.module), entry.class_name)
    assert issubclass(loss, Loss)
    assert issubclass(loss, ClassificationLoss) == (entry.needs == "labels")


def test_parameters_are_checked_without_torch() -> None:
    code = "import sys, tasks.params; print(sorted({'torch', 'facenet.losses'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
