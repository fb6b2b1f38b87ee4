"""Learning-rate schedules as text files, in the format of davidsandberg/facenet."""

from pathlib import Path

from facenet.errors import ParamsInvalid
from facenet.training.schedule import STOP


def read_schedule(path: Path) -> dict[int, float]:
    """Return the table in `path`: from the first epoch of an interval to its learning rate.

    A line is `epoch: lr`; `#` starts a comment; a learning rate of -1 or - stops the run before that epoch.
    Epochs are whole numbers from 0 in ascending order. Source: get_learning_rate_from_file in
    davidsandberg/facenet, facenet.py.

    Raises:
        ParamsInvalid: the file cannot be read or has no table; the message names the file and the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsInvalid(f"train.schedule.file {path} cannot be read: {error}") from error
    table: dict[int, float] = {}
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        epoch, lr = _row(text, f"{path}, line {number}")
        if table and epoch <= max(table):
            raise ParamsInvalid(f"{path}, line {number}: epoch {epoch} must come after {max(table)}.")
        table[epoch] = lr
    if not table:
        raise ParamsInvalid(f"{path} has no line of the form `epoch: lr`, such as `0: 0.05`.")
    return table


def _row(text: str, place: str) -> tuple[int, float]:
    epoch, colon, lr = (part.strip() for part in text.partition(":"))
    if not colon or not epoch.isascii() or not epoch.isdigit():
        raise ParamsInvalid(f"{place}: {text!r} is not of the form `epoch: lr`, such as `60: 0.005`.")
    try:
        value = STOP if lr == "-" else float(lr)
    except ValueError:
        value = 0.0
    if not (value == STOP or 0 < value < float("inf")):
        raise ParamsInvalid(f"{place}: the learning rate {lr!r} must be a positive number, or -1 to stop.")
    return int(epoch), value
