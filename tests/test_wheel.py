"""The wheel with nothing but its base dependencies answers from photos.

The environment is new. Its packages are links to those of this environment, namely to what the requirements
of the wheel resolve to here, and nothing else: as pip would install them, without downloading gigabytes.
"""

import json
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from facenet.face_model import FaceModel
from tests import archive
from tests.calibration import calibrate

pytestmark = pytest.mark.slow

PACKAGES = ("commands", "facenet", "flows", "operations", "service", "tasks")
ABSENT = (
    "mlflow",
    "prefect",
    "dvc",
    "great_expectations",
    "pandas",
    "sqlalchemy",
    "fastapi",
    "pyarrow",
    "yaml",
)
SCRIPT = """
import importlib.util, json, sys
absent = json.loads(sys.argv[4])
assert [name for name in absent if importlib.util.find_spec(name)] == []
import facenet
from facenet import FaceModel
model = FaceModel.load(sys.argv[1], device="cpu")
answer = model.verify(sys.argv[2], sys.argv[3])
print(json.dumps({"file": facenet.__file__, "detected": len(model.faces(sys.argv[2])), **answer.to_dict()}))
"""


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the tracked files."""
    folder = tmp_path_factory.mktemp("wheel")
    archive.unpack(root, folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", folder, folder / "source"], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel and its base dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    command = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--no-index"]
    subprocess.run([*command, "--no-deps", wheel], check=True, capture_output=True)
    (metadata,) = packages.glob("*.dist-info")
    for name in sorted(closure(Distribution.at(metadata))):
        link(distribution(name), packages)
    return folder / "bin" / "python"


def closure(begin: Distribution) -> set[str]:
    """Return the distributions that one needs without extras, and that these need."""
    names: set[str] = set()
    waiting = [(begin, "")]
    while waiting:
        found, extra = waiting.pop()
        for requirement in map(Requirement, found.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            needed = distribution(requirement.name)
            assert requirement.specifier.contains(needed.version, prereleases=True), requirement
            for wanted in ("", *requirement.extras):
                key = f"{requirement.name}[{wanted}]"
                if key not in names:
                    names.add(key)
                    waiting.append((needed, wanted))
    return {name.partition("[")[0] for name in names}


def link(found: Distribution, packages: Path) -> None:
    """Link the folders and files of a distribution into an environment."""
    for name in {file.parts[0] for file in found.files or () if ".." not in file.parts}:
        if name != "__pycache__" and not name.endswith(".pth") and not (packages / name).exists():
            (packages / name).symlink_to(Path(str(found.locate_file(name))))


def test_the_wheel_has_every_file_of_the_packages(wheel: Path, root: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = tuple(f"{package}/" for package in PACKAGES)
    names = {name for name in ZipFile(wheel).namelist() if name.startswith(folders)}
    assert names == {name for name in tracked if (root / name).exists()}


def test_the_wheel_and_its_base_dependencies_verify_two_photos(
    python: Path, tiny_model: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    calibrate(folder, folder, metric="cosine", threshold=0.02, people=None, people_pairs=None)
    photos = [tmp_path / "left.pgm", tmp_path / "right.pgm"]
    for path, row in zip(photos, (0, 15), strict=True):
        path.write_bytes(orl_photos[row][1])
    command = [python, "-I", "-c", SCRIPT, folder, *photos, json.dumps(ABSENT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)
    assert Path(answer.pop("file")).is_relative_to(python.parent.parent)
    assert answer.pop("detected") == 1
    assert answer == FaceModel.load(folder, device="cpu").verify(*photos).to_dict()
    command = [python.with_name("facenet"), "verify", *photos, "--model", folder, "--json"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(printed.stdout)["distance"] == answer["distance"], printed.stderr[-3000:]


COMMANDS = """
import json, sys
from commands.main import main
codes = []
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as stop:
        codes.append(stop.code)
sys.stderr.write(f"{codes}\\n")
"""


def test_the_commands_on_photos_need_no_extra(
    python: Path, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    for number in (0, 1, 15):
        (tmp_path / f"{number}.pgm").write_bytes(orl_photos[number][1])
    words = [
        ["compare", "0.pgm", "1.pgm", "15.pgm", "--model", "pretrained"],
        ["embed", ".", "--out", "x.npz", "--model", "pretrained"],
        ["cluster", "0.pgm", "1.pgm", "15.pgm", "--out", "sorted", "--model", "pretrained"],
        ["detect", "0.pgm"],
        ["doctor"],
        ["completion", "bash"],
        ["people"],
        ["results"],
    ]
    command = [python, "-I", "-c", COMMANDS, json.dumps(words)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    *errors, codes = done.stderr.splitlines()
    assert json.loads(codes) == [0, 0, 0, 0, 0, 0, 2, 2], done.stderr
    assert "3 templates of 128 numbers, of 3 photos: x.npz" in done.stdout
    assert "note   extra service: " in done.stdout
    missing = (
        "`facenet people` needs packages that are not installed, such as sqlalchemy: they are the extra "
        "`service`. Run `pip install 'facenet-pipeline[service]'`."
    )
    assert missing in errors
