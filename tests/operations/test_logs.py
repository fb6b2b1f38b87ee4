"""The last line of a log says why a server does not run."""

import pytest

from operations.folder import Folder
from operations.logs import TAIL_BYTES, last_line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"first\nOSError: disk full\n\n  \n", "OSError: disk full"),
        (b"Traceback\nPermissionError: /x\nAn exception occurred.\n", "PermissionError: /x"),
        (b"x" * TAIL_BYTES + b"\nlast", "last"),
        (b"caf\xe9\n", "caf\ufffd"),
        (b"", ""),
    ],
)
def test_the_last_line_that_is_not_blank(folder: Folder, content: bytes, expected: str) -> None:
    folder.log("mlflow").write_bytes(content)
    assert last_line(folder, "mlflow") == expected


def test_no_log_yet(folder: Folder) -> None:
    assert last_line(folder, "mlflow") == ""
