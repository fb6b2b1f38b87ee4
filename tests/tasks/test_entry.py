"""An expected error is one message and exit code 1; any other keeps its traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.entry import CheckFailed, check_first, stage_main
from tests.tasks.params.changed import DEFAULT, text

PIPE_CLOSED = 141


def run(code: str, folder: Path, root: Path, **options: object) -> "subprocess.CompletedProcess[str]":
    script = f"from tasks.entry import stage_main\n{code}"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), **options},  # type: ignore[dict-item]
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_error_of_ours_is_one_message_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise SourceInvalid("no archive lfw.tgz; set FACENET_MIRRORS")

    with pytest.raises(SystemExit) as stop:
        stage_main(fail)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "SourceInvalid: no archive lfw.tgz; set FACENET_MIRRORS\n"
    with pytest.raises(SystemExit) as stop:
        stage_main(fail, error_code=2)
    assert stop.value.code == 2


def test_other_errors_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        stage_main(lambda: print(1 / 0))
    with pytest.raises(FileNotFoundError):
        stage_main(lambda: print(Path("nowhere").read_text()))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_failure_of_storage_is_one_message(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise OSError(number, os.strerror(number), "reports/train.json")

    with pytest.raises(SystemExit) as stop:
        stage_main(fail)
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith("StorageFailed: reports/train.json: ")


def test_a_report_that_is_a_folder_is_one_message(tmp_path: Path, root: Path) -> None:
    (tmp_path / "align.json").mkdir()
    code = "from pathlib import Path\nfrom tasks.reports import write_report\n"
    done = run(code + "stage_main(lambda: write_report(Path('align.json'), {}))", tmp_path, root)
    assert done.returncode == 1
    assert done.stderr == (
        "StorageFailed: align.json: this is a folder, but a file is needed here. "
        "Move it away, or name a file.\n"
    )


@pytest.mark.parametrize("lines", [1, 10**5])
def test_a_closed_pipe_ends_quietly(tmp_path: Path, root: Path, lines: int) -> None:
    code = f"from tasks.entry import stage_main\nstage_main(lambda: print('line\\n' * {lines}))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before anything is written, as `| head -0` may do
        assert process.stderr.read() == b""
    assert process.returncode == PIPE_CLOSED


def test_a_broken_pipe_that_is_not_the_output_is_an_error(tmp_path: Path, root: Path) -> None:
    code = (
        "import os\n"
        "def main():\n"
        "    reader, writer = os.pipe()\n"
        "    os.close(reader)\n"
        "    os.write(writer, b'x')\n"
        "stage_main(main)"
    )
    done = run(code, tmp_path, root)
    assert done.returncode == 1
    assert "BrokenPipeError" in done.stderr


def test_an_encoding_without_a_character_is_no_error(tmp_path: Path, root: Path) -> None:
    done = run("stage_main(lambda: print('Zo\\xeb'))", tmp_path, root, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, "Zo\\xeb\n")


def test_the_first_check_raises_what_its_child_says(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root))
    (tmp_path / "params.yaml").write_text(text({"train.variant": "tiny"}))
    with pytest.raises(CheckFailed, match=r"^The pipeline would fail later:\n\* .*has no variant 'tiny'"):
        check_first()
    (tmp_path / "params.yaml").write_text(DEFAULT)
    check_first()
