"""Schedules as text files: davidsandberg's own, and every kind of mistake with its line."""

from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from facenet.training.schedule_file import read_schedule

CASIA = """# Learning rate schedule
# Maps an epoch number to a learning rate
0:  0.05
60: 0.005
80: 0.0005
91: -1
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "schedule.txt"
    path.write_text(text)
    return path


def test_the_published_schedule_of_casia(tmp_path: Path) -> None:
    assert read_schedule(written(tmp_path, CASIA)) == {0: 0.05, 60: 0.005, 80: 0.0005, 91: -1.0}


def test_comments_spaces_blank_lines_and_a_dash(tmp_path: Path) -> None:
    text = "\ufeff\r\n  # start\r\n0 : 1e-1 # high\r\n\r\n7:.01\r\n 12 :-\r\n"
    assert read_schedule(written(tmp_path, text)) == {0: 0.1, 7: 0.01, 12: -1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0: 0.1\n60 0.01\n", r"line 2: '60 0\.01' is not of the form `epoch: lr`"),
        ("# x\n\nfirst: 0.1\n", r"line 3: 'first: 0\.1' is not of the form"),
        ("-1: 0.1\n", "line 1: '-1: 0.1' is not of the form"),
        ("0: 0.1\n5.5: 0.01\n", "line 2: .* is not of the form"),
        ("0: high\n", "line 1: the learning rate 'high' must be a positive number, or -1"),
        ("0:\n", "line 1: the learning rate '' must be"),
        ("0: 0\n", "line 1: the learning rate '0' must be"),
        ("0: -0.5\n", "line 1: the learning rate '-0.5' must be"),
        ("0: nan\n", "line 1: the learning rate 'nan' must be"),
        ("0: inf\n", "line 1: the learning rate 'inf' must be"),
        ("0: 0.1\n60: 0.01\n60: 0.001\n", "line 3: epoch 60 must come after 60"),
        ("0: 0.1\n60: 0.01\n20: 0.001\n", "line 3: epoch 20 must come after 60"),
        ("# nothing\n", "has no line of the form"),
        ("", "has no line of the form"),
    ],
)
def test_mistakes_name_the_file_and_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParamsInvalid, match=rf"schedule\.txt.*{message}"):
        read_schedule(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsInvalid, match=r"train\.schedule\.file .*missing\.txt cannot be read"):
        read_schedule(tmp_path / "missing.txt")
    with pytest.raises(ParamsInvalid, match="cannot be read"):
        read_schedule(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParamsInvalid, match="binary cannot be read"):
        read_schedule(tmp_path / "binary")
