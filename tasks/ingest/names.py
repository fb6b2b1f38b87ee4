"""Paths of files inside a source: made valid, and checked before the file is read."""

import re

# Created by operating systems, file servers and editors: names of folders and files, compared without case.
_CLUTTER = frozenset(
    {
        "__macosx",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "network trash folder",
        "temporary items",
        "lost+found",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "#recycle",
        "#snapshot",
        "@eadir",
        "@tmp",
        "@recycle",
        "@recently-snapshot",
    }
)
_CLUTTER_PATTERN = re.compile(r"\..*|.*~|~\$.*|#.*#|found\.\d{3}", re.DOTALL | re.IGNORECASE)

Refusal = tuple[str, str]  # status and reason


def clean_name(name: str) -> str:
    r"""Return a path as valid UTF-8, with single slashes and without "." parts.

    Bytes that are not UTF-8 become escapes such as \xe9, so that different names remain different.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    return ("/" if text.startswith("/") else "") + "/".join(parts)


def refusal(name: str, length: int, max_file_bytes: int) -> Refusal | None:
    """Return status and reason if the name or the length in bytes rules a file out, else None."""
    parts = name.split("/")
    if any(is_clutter(part) for part in parts if part != ".."):
        return "hidden", "A hidden file, or one created by the system or an editor."
    if ".." in parts or name.startswith("/") or name[1:3] == ":/" or any(ord(letter) < 32 for letter in name):
        return "unsafe", "The path is absolute, or contains .. or control characters."
    if length > max_file_bytes:
        return "too_large", f"{length} bytes; the limit ingest.max_file_bytes is {max_file_bytes}."
    return None


def is_clutter(part: str) -> bool:
    """Return whether a file or folder of this name never holds photos of a person."""
    return part.casefold() in _CLUTTER or _CLUTTER_PATTERN.fullmatch(part) is not None
