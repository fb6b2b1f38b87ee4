"""Most tests run the command as users do: as a separate process."""

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from PIL import Image

from commands import detect
from commands.detect import Found, add, as_json, line, run, search
from facenet.detection import MTCNN, DetectorSettings
from facenet.errors import ParamsInvalid
from facenet.images import decode, encode
from tasks.commands.photo_files import Argument
from tests.commands.running import facenet, facenet_process

Photos = list[tuple[str, bytes]]


COMMAND = [sys.executable, "-m", "commands.main", "detect"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def command(
    folder: Path, *arguments: str, stdin: IO[bytes] | None = None
) -> "subprocess.CompletedProcess[str]":
    return facenet_process(folder, "detect", *arguments, stdin=stdin)


@pytest.fixture(scope="module")
def detector() -> MTCNN:
    return MTCNN()


@pytest.fixture
def folder(tmp_path: Path, orl_photos: Photos) -> Path:
    """Two photos with the same name, one without a face, and files that are not photos."""
    for name, (_, data) in zip(("ann/1.pgm", "bob/1.pgm"), orl_photos[::10], strict=False):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(data)
    (tmp_path / "wall.png").write_bytes(encode(np.full((60, 80, 3), 90, np.uint8), "png"))
    (tmp_path / "cut.jpg").write_bytes(encode(np.zeros((60, 80, 3), np.uint8), "jpeg")[:300])
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty.png").touch()
    return tmp_path


def test_json_is_one_list_in_the_given_order(folder: Path, detector: MTCNN) -> None:
    (folder / "none").mkdir()
    paths = ["bob/1.pgm", "cut.jpg", "wall.png", "nowhere.jpg", "none", "ann/1.pgm", "text.jpg", "empty.png"]
    done = command(folder, "--json", *paths)
    assert done.returncode == 1
    assert done.stderr.endswith("5 of 8 photos could not be read; the output says why.\n")
    assert "Traceback" not in done.stderr
    listed = json.loads(done.stdout)
    assert [entry["path"] for entry in listed] == paths
    assert [sorted(entry) for entry in listed] == [
        ["faces", "path"] if path in ("bob/1.pgm", "wall.png", "ann/1.pgm") else ["error", "path"]
        for path in paths
    ]
    assert listed[2]["faces"] == []
    assert listed[3]["error"] == "No such file or directory"
    assert listed[4]["error"].startswith("No photos in this folder")
    for entry in (listed[0], listed[5]):
        (found,) = detector.detect([decode((folder / entry["path"]).read_bytes())])
        assert len(found) == len(entry["faces"]) == 1
        (face,) = entry["faces"]
        assert sorted(face) == ["box", "landmarks", "probability"]
        np.testing.assert_allclose(face["box"], found.boxes[0], atol=0.01)
        np.testing.assert_allclose(face["landmarks"], found.landmarks[0], atol=0.01)
        assert face["probability"] == pytest.approx(found.probabilities[0], abs=1e-4)


def test_each_photo_gets_a_line_and_a_drawing(folder: Path) -> None:
    done = command(folder, "ann/1.pgm", "bob/1.pgm", "wall.png", "--out", "drawn")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"ann/1\.pgm  92 x 112  1 face: \d+ x \d+ \(p 0\.9\d+\)", lines[0])
    assert lines[2] == "wall.png  80 x 60  no face"
    written = {str(path.relative_to(folder / "drawn")) for path in (folder / "drawn").rglob("*.*")}
    assert written == {"ann/1.pgm.png", "bob/1.pgm.png", "wall.png.png"}
    ann, bob = (Image.open(folder / "drawn" / name / "1.pgm.png") for name in ("ann", "bob"))
    assert ann.size == bob.size == (92, 112)
    assert ann.tobytes() != bob.tobytes()
    assert ann.tobytes() != Image.open(folder / "ann" / "1.pgm").convert("RGB").tobytes()


def test_settings_reach_the_detector(folder: Path) -> None:
    done = command(folder, "--min-face", "110", "--json", "ann/1.pgm")
    assert (done.returncode, json.loads(done.stdout)) == (0, [{"path": "ann/1.pgm", "faces": []}])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "wall.png"], "--out: cannot create wall.png: File exists"),
        (["--device", "abacus"], "not available on this machine"),
    ],
)
def test_invalid_settings_are_reported(
    folder: Path,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert facenet("detect", "ann/1.pgm", *arguments) == 2
    assert message in capsys.readouterr().err


def test_help_names_every_setting_with_its_default(folder: Path) -> None:
    done = command(folder, "--help")
    text = " ".join(done.stdout.split())
    for field in fields(DetectorSettings):
        value = " ".join(map(str, field.default)) if isinstance(field.default, tuple) else str(field.default)
        option = f"--{field.name.replace('_', '-')}"
        assert re.search(rf"{option} [^-]*\(default: {re.escape(value)}\)", text), field.name


class Counting:
    """A detector that records how many photos each call gets."""

    def __init__(self, detector: MTCNN) -> None:
        self.detector, self.groups = detector, list[int]()

    def detect(self, images: Any) -> Any:
        self.groups.append(len(images))
        return self.detector.detect(images)


def test_photos_are_searched_in_groups_with_the_results_of_each_alone(
    folder: Path, detector: MTCNN, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(detector)
    paths = [Argument(str(folder / name)) for name in ("ann/1.pgm", "text.jpg", "wall.png", "bob/1.pgm")] * 10
    many = [as_json(found) for found in search(counting, paths)]  # type: ignore[arg-type]
    assert counting.groups == [24, 6]  # groups of 32 paths and 8, of which 8 and 2 are not photos
    assert many[:4] * 10 == many
    monkeypatch.setattr(detect, "GROUP_PIXELS", 5000)  # wall.png has 4800, the others 10304
    counting.groups.clear()
    assert [as_json(found) for found in search(counting, paths)] == many  # type: ignore[arg-type]
    assert max(counting.groups) == 2


def test_an_endless_file_is_an_error(detector: MTCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.commands.photo_files.MAX_FILE_BYTES", 1000)
    (found,) = search(detector, [Argument("/dev/zero")])
    assert as_json(found) == {"path": "/dev/zero", "error": "More than 1000 bytes."}


NAMES = [
    ("ann\udcff.jpg", "ann�.jpg", "ann�.jpg"),
    ("new\nline.jpg", "new\nline.jpg", r"new\nline.jpg"),
    ("\x1b[31mred\x07.jpg", "\x1b[31mred\x07.jpg", r"\x1b[31mred\x07.jpg"),
    ('quote".jpg', 'quote".jpg', 'quote".jpg'),
    ("Zoë 写真.jpg", "Zoë 写真.jpg", "Zoë 写真.jpg"),
]


@pytest.mark.parametrize(("name", "in_json", "in_line"), NAMES)
def test_any_name_is_valid_in_json_and_printable_in_a_line(name: str, in_json: str, in_line: str) -> None:
    found = Found(name, error="of two\nlines\x1b")
    text = json.dumps(as_json(found))
    assert json.loads(text.encode().decode("utf-8")) == {"path": in_json, "error": "of two\nlines\x1b"}
    assert re.search("\\\\u(?:d[89ab]|d[c-f])", text) is None  # strict parsers refuse a lone surrogate
    assert line(found) == rf"{in_line}  cannot be read: of two lines\x1b" + "\n"


def test_json_is_valid_utf_8_for_real_files_of_any_name(folder: Path) -> None:
    (folder / "odd").mkdir()
    for name in (b"a\xff\xfe.pgm", b"b\nc.pgm", b"d\x1b\x01.pgm", "ë写.pgm".encode()):
        (folder / "odd" / os.fsdecode(name)).write_bytes((folder / "ann" / "1.pgm").read_bytes())
    done = command(folder, "--json", "odd")
    listed = json.loads(done.stdout.encode("ascii"))
    expected = ["odd/a��.pgm", "odd/b\nc.pgm", "odd/d\x1b\x01.pgm", "odd/ë写.pgm"]
    assert sorted(entry["path"] for entry in listed) == sorted(expected)
    assert all(len(entry["faces"]) == 1 for entry in listed)


def test_json_is_closed_when_an_error_ends_it_early(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "drawn" / "1.pgm.png").mkdir(parents=True)  # in the place of the first drawing
    options = ["--json", "--out", str(folder / "drawn"), str(folder / "ann" / "1.pgm")]
    with pytest.raises(ParamsInvalid, match=r"--out: .*1\.pgm\.png: this is a folder"):
        run(parsed(*options))
    assert json.loads(capsys.readouterr().out) == []


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add(parser)
    return parser.parse_args(arguments)


def test_folders_and_standard_input(folder: Path) -> None:
    arguments = ["--json", "--out", "drawn", "-", "."]
    with (folder / "ann" / "1.pgm").open("rb") as stdin:
        done = command(folder, *arguments, stdin=stdin)
    listed = json.loads(done.stdout)
    assert [entry["path"] for entry in listed] == [
        "-",
        *(f"./{name}" for name in ("ann/1.pgm", "bob/1.pgm", "cut.jpg", "empty.png", "text.jpg", "wall.png")),
    ]
    assert listed[0]["faces"] == listed[1]["faces"]
    assert "3 of 7 photos could not be read" in done.stderr
    written = {str(path.relative_to(folder / "drawn")) for path in (folder / "drawn").rglob("*.png")}
    assert written == {"stdin.png", "ann/1.pgm.png", "bob/1.pgm.png", "wall.png.png"}


REFUSED = {
    "--min-face": (["nan", "inf", "-1", "11", "none"], "a number of at least 12"),
    "--thresholds": (["2 0 0", "0 nan 0", "0 0 -0.1", "0 0 inf"], "a number from 0 to 1"),
    "--factor": (["0", "1", "nan", "-0.5", "2"], "a number between 0 and 1, both excluded"),
    "--max-side": (["0", "11", "-4", "nan", "100.5", "inf"], "a whole number of at least 12"),
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, (values, _) in REFUSED.items() for value in values]
)
def test_a_setting_out_of_range_is_refused_with_option_value_and_range(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        parsed("photo.jpg", option, *value.split())
    assert stop.value.code == 2
    wrong = next(part for part in value.split() if part != "0" or option != "--thresholds")
    assert f"argument {option}: '{wrong}' is not {REFUSED[option][1]}" in capsys.readouterr().err


def test_a_closed_pipe_ends_the_search_quietly(folder: Path) -> None:
    many = ["text.jpg"] * 3000  # lines that no pipe has room for: the command waits for its reader
    with subprocess.Popen(
        [*COMMAND, "ann", *many], cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"ann/1.pgm")  # it comes at once
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
