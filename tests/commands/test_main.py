"""The `facenet` command starts fast, and reports an error as one line and an exit code."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from commands import detect
from commands.main import COMMANDS, build_parser, missing_package
from facenet import FaceModel
from tests.commands.running import facenet, facenet_process

# Each of these takes longer to import than all of the command.
HEAVY = ("torch", "numpy", "PIL", "scipy", "sklearn", "openvino", "mlflow", "pandas", "pyarrow", "pydantic")
ALSO_HEAVY = (
    "importlib.metadata",
    "csv",
    "sqlalchemy",
    "fastapi",
    "alembic",
    "prefect",
    "dvc",
    "great_expectations",
    "onnx",
    "tqdm",
    "shtab",
)


def test_results_without_a_run_is_an_error(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "results")
    assert done.returncode == 2
    assert "reports/ingest.json" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["commands.main", "--help"],
        ["commands.main", "detect", "--help"],
        ["commands.main", "summary"],
        ["tasks.commands.recipes", "list"],
        ["tasks.shards", "--help"],
    ],
)
def test_a_closed_pipe_ends_every_command_quietly(root: Path, command: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 141)  # argparse ignores a failure to print the help


def test_help_imports_nothing_heavy(root: Path) -> None:
    """`facenet --help` takes 0.1 s because of this; time itself cannot be tested on a busy machine."""
    code = (
        "import sys\nfrom commands.main import build_parser\nbuild_parser().format_help()\n"
        f"print([name for name in {HEAVY + ALSO_HEAVY} if name in sys.modules], len(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    found, _, count = done.stdout.strip().rpartition(" ")
    assert found == "[]"
    assert int(count) < 250


def test_every_command_has_help_with_its_description_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("--help") == 0
    listing = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert re.search(rf"^    {name} +{re.escape(command.help[:20])}", listing, re.MULTILINE), name
        assert facenet(name, "--help") == 0
        text = capsys.readouterr().out
        assert text.startswith(f"usage: facenet {name} [-h]")
        assert "--json" in text or name in ("completion", "review", "serve", "token", "gallery"), name


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("--version") == 0
    assert capsys.readouterr().out == f"facenet {version('facenet-pipeline')}\n"


@pytest.mark.parametrize("words", [[], ["vrify"], ["detect"], ["detect", "--min-fce", "3", "a.jpg"]])
def test_a_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet(*words) == 2
    assert capsys.readouterr().err.startswith("usage: facenet")


def test_a_missing_package_is_one_line_with_the_extra_to_install(root: Path) -> None:
    """In a process without mlflow, as in an installation without the extra `pipeline`."""
    block = (
        "import sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Without(MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'mlflow': raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from commands.main import main\nmain(['reproduce', 'models:/facenet/1'])\n"
    )
    done = subprocess.run([sys.executable, "-c", block], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == missing_package("mlflow", "reproduce", "pipeline") + "\n"
    assert "extra `pipeline`. Run `pip install 'facenet-pipeline[pipeline]'`." in done.stderr


def test_a_missing_package_of_every_installation_is_a_damaged_one() -> None:
    line = missing_package("safetensors", "detect", "")
    assert line.endswith("the installation is damaged. Run `pip install 'facenet-pipeline'`.")


def test_an_interrupted_command_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(detect, "run", interrupted)
    assert facenet("detect", "a.jpg") == 130
    assert capsys.readouterr().err == ""


def test_an_error_in_our_own_imports_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> int:
        raise ModuleNotFoundError("No module named 'facenet.nowhere'", name="facenet.nowhere")

    monkeypatch.setattr(detect, "run", broken)
    with pytest.raises(ModuleNotFoundError):
        facenet("detect", "a.jpg")


def test_the_parser_names_the_exit_codes() -> None:
    assert "Exit codes: 0 done, or the answer is yes; 1 " in str(build_parser().epilog)


def test_the_first_steps_work_as_written(
    root: Path, people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (root / "docs" / "first-steps.md").read_text()
    lines = re.findall(
        r"^facenet (.+)$", "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)), re.MULTILINE
    )
    names = {"ada1": "ann/1", "ada2": "ann/2", "bob1": "bob/1"}
    for name, source in names.items():
        Image.open(people / "people" / f"{source}.pgm").save(people / f"{name}.jpg", quality=95)
    faces = [Image.open(people / "people" / name / "3.pgm") for name in ("ann", "bob", "cem")]
    group = Image.new("L", (3 * 140, 200), 110)
    for place, face in enumerate(faces):
        group.paste(face, (20 + 140 * place, 40))
    group.save(people / "group.jpg", quality=95)
    assert [facenet(*shlex.split(line)) for line in lines] == [0, 1, 0, 0, 0, 0, 0, 0]
    printed, varying = capsys.readouterr().out, re.compile(r"[\d.]+|to \w+, the most")
    for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():  # as shown, but for numbers and the most similar person
            assert varying.sub("N", line) in varying.sub("N", printed), line
