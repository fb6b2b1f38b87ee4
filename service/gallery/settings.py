"""Settings of the gallery: mode and limits of the checks, and the size from which search is approximate."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args

from facenet.errors import ParamsInvalid

VARIABLE = "FACENET_GALLERY_SETTINGS"
DEFAULT = Path("gallery") / "settings.toml"
Mode = Literal["off", "warn", "strict"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The content of gallery/settings.toml; every key may be missing.

    checks: "off", "warn" (enrol, and report) or "strict" (refuse). min_side: pixels, the shorter side of a
    face. min_sharpness: variance of the Laplacian, as at a mean grey value of 100. min_brightness,
    max_brightness: mean grey value. The evidence for these is in docs/how-to/gallery.md. approximate_from:
    templates from which search is approximate, if FAISS is installed; 0 for never.
    """

    checks: Mode = "warn"
    min_side: float = 30.0
    min_sharpness: float = 3.0
    min_brightness: float = 20.0
    max_brightness: float = 190.0
    approximate_from: int = 500_000

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """Return the settings of a file: that of FACENET_GALLERY_SETTINGS, else gallery/settings.toml.

        Without either all have their defaults.

        Raises:
            ParamsInvalid: the file is missing or not valid, or a key is unknown or out of range.
        """
        named = path or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
        if named is None and not DEFAULT.exists():
            return cls()
        file = named or DEFAULT
        try:
            return cls.parse(tomllib.loads(file.read_text()), file)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ParamsInvalid(f"{file} cannot be read: {error}. Correct it, or remove it.") from error

    @classmethod
    def parse(cls, keys: dict[str, Any], file: Path) -> Self:
        """Return the settings with these keys.

        Raises:
            ParamsInvalid: a key is unknown or out of range.
        """
        known = {field.name: field.default for field in fields(cls)}
        for key, value in keys.items():
            if key not in known:
                raise ParamsInvalid(f"{file}: unknown key {key!r}. There are {', '.join(known)}.")
            if key == "checks":
                if value not in get_args(Mode):
                    raise ParamsInvalid(
                        f"{file}: checks is {value!r}. Use one of {', '.join(get_args(Mode))}."
                    )
            elif not _fits(value, known[key]):
                kind = "a whole number" if isinstance(known[key], int) else "a number"
                raise ParamsInvalid(f"{file}: {key} is {value!r}. It needs {kind} that is not negative.")
        return cls(**keys)


def _fits(value: Any, default: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 if isinstance(default, float) else isinstance(value, int) and value >= 0
