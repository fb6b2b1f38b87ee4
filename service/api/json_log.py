"""Log lines as JSON, without anything a client sent."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

FIELDS = "fields"  # the attribute of a record with its structured fields
# They log pieces of what they parse.
SILENT = ("python_multipart", "python_multipart.multipart", "multipart", "PIL")


class JsonFormatter(logging.Formatter):
    """One JSON object per record.

    Of an exception only the type and the places are logged: its message may hold a name or a parameter.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, allow_nan=False, default=str)


def described(error: BaseException) -> dict[str, object]:
    """Return the type of an exception and where it was raised, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-10:]
    return {
        "exception": type(error).__name__,
        "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def configure_logging(stream: TextIO = sys.stderr) -> None:
    """Log this process as JSON lines: our records from INFO, those of libraries from WARNING."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("facenet").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True  # has paths and queries, thus names
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
