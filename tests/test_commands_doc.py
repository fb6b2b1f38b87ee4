"""The commands of docs/how-to/commands.md are run in order on real photos, and print what the page shows."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet import FaceModel
from tests.commands.running import facenet

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "commands.md"
BLOCK = re.compile(r"```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
Photos = list[tuple[str, bytes]]
# Run elsewhere: a shell has to do it, it looks at the whole machine, or it needs a gallery of its own.
ELSEWHERE = (
    "eval ",
    "facenet doctor",
    "facenet gallery migrate",
    "facenet verify ann-1.jpg ann-2.jpg --json",
)


@pytest.fixture
def _photos(tmp_path: Path, orl_photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder with the photos of the page, which are AT&T/ORL faces."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "FACENET_GALLERY"):
        monkeypatch.delenv(name, raising=False)
    by_person: dict[str, list[bytes]] = {}
    for identity, data in orl_photos:
        by_person.setdefault(identity, []).append(data)

    def put(place: str, *faces: tuple[int, int]) -> None:
        """Write photo `number` of person s`person` as JPEG; several side by side."""
        path = Path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = []
        for person, number in faces:
            (path.parent / "original").write_bytes(by_person[f"s{person}"][number - 1])
            pixels.append(np.asarray(Image.open(path.parent / "original").convert("RGB")))
            (path.parent / "original").unlink()
        Image.fromarray(np.concatenate(pixels, axis=1)).save(path, quality=95)

    for name, person, number in (("ann-1", 1, 1), ("ann-2", 1, 2), ("bob-1", 2, 1)):
        put(f"{name}.jpg", (person, number))
    put("group.jpg", (1, 3), (2, 3), (5, 3))
    for name, person in (("Bob", 2), ("Cem", 3), ("Dana", 4)):
        for number in (1, 2, 4):
            put(f"people/{name}/{number}.jpg", (person, number))
    for place, face in enumerate([(1, 4), (2, 5), (1, 5), (3, 5), (2, 6), (6, 1)]):
        put(f"photos/{place + 1}.jpg", face)


def shape(output: str) -> str:
    """Return an output without dates and measurements, which a new calibration changes."""
    dated = re.sub(r"\d{4}-\d\d-\d\d", "DATE", output)
    unmeasured = re.sub(r"\d+\.\d+", "N", dated)
    return re.sub(r"(?<= at) [-\d ]+$", " BOX", unmeasured, flags=re.MULTILINE)


@pytest.mark.usefixtures("_photos")
def test_the_page_shows_what_its_commands_print(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = FaceModel.load("pretrained")
    monkeypatch.setattr(FaceModel, "load", classmethod(lambda _, source=None, **options: model))
    shown = 0
    for commands, output in BLOCK.findall(PAGE.read_text()):
        lines = [line for line in commands.splitlines() if not line.startswith(ELSEWHERE)]
        assert len(lines) == 1 or not output, commands
        for line in lines:
            _, *words = shlex.split(line)
            assert facenet(*words) == 0, line
            printed = capsys.readouterr().out
            if output:
                assert shape(printed) == shape(output), line
                shown += 1
    assert shown == 10


def test_every_command_has_a_section_or_a_row() -> None:
    from commands.main import COMMANDS

    text = PAGE.read_text()
    for name in COMMANDS:
        assert f"\n## {name}\n" in text or f"`facenet {name}" in text, name
