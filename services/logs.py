"""The end of a server's log."""

import os

from services.folder import Folder

TAIL_BYTES = 8192


def last_line(folder: Folder, name: str) -> str:
    """Return the last line of a server's log that is not blank, "" if there is none."""
    try:
        with folder.log(name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
