"""Settings come from a file, and a wrong one is named."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from service.gallery.settings import Settings


def test_without_a_file_all_have_their_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACENET_GALLERY_SETTINGS", raising=False)
    assert Settings.read() == Settings()
    assert Settings().checks == "warn"
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "settings.toml").write_text('checks = "strict"\nmin_side = 60\n')
    assert Settings.read() == Settings(checks="strict", min_side=60)
    (tmp_path / "other.toml").write_text("approximate_from = 9")
    monkeypatch.setenv("FACENET_GALLERY_SETTINGS", str(tmp_path / "other.toml"))
    assert Settings.read() == Settings(approximate_from=9)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("minside = 40", "unknown key 'minside'. There are checks, min_side"),
        ('checks = "on"', "checks is 'on'. Use one of off, warn, strict"),
        ("min_side = -1", "min_side is -1. It needs a number that is not negative"),
        ("min_side = nan", "min_side is nan"),
        ("approximate_from = 2.5", "approximate_from is 2.5. It needs a whole number"),
        ("approximate_from = true", "approximate_from is True"),
        ("min_side =", "settings.toml cannot be read"),
    ],
)
def test_a_wrong_file_is_named(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content)
    with pytest.raises(ParamsInvalid) as refused:
        Settings.read(path)
    assert said in str(refused.value)
    assert "settings.toml" in str(refused.value)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ParamsInvalid, match=r"none\.toml cannot be read"):
        Settings.read(tmp_path / "none.toml")


def test_the_documented_settings_are_the_defaults(root: Path) -> None:
    text = (root / "docs" / "how-to" / "gallery.md").read_text()
    block = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    keys = tomllib.loads(block)
    assert keys.keys() == {field.name for field in fields(Settings)}
    assert Settings.parse(keys, Path("gallery.md")) == Settings()
