"""The end of a server's log."""

import os

from operations.folder import Folder

TAIL_BYTES = 8192
EMPTY = "An exception occurred."  # Prefect's last line, after the traceback


def last_line(folder: Folder, name: str) -> str:
    """Return the last line of a server's log that says something, "" if there is none."""
    try:
        with folder.log(name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = (line.strip() for line in reversed(text.splitlines()))
    return next((line for line in lines if line not in ("", EMPTY)), "")
