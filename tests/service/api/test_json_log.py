import io
import json
import logging
from collections.abc import Iterator

import pytest

from service.api.json_log import FIELDS, JsonFormatter, configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    found = io.StringIO()
    configure_logging(found)
    yield found
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def test_a_line_is_json_with_the_fields_of_the_record(stream: io.StringIO) -> None:
    logging.getLogger("facenet.service").info("request", extra={FIELDS: {"status": 200}})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["status"]) == ("request", "info", 200)
    assert line["time"].endswith("+00:00")


def test_the_message_of_an_exception_is_left_out(stream: io.StringIO) -> None:
    try:
        {}["Ada Lovelace"]
    except KeyError:
        logging.getLogger("sqlalchemy").exception("a statement failed")
    line = json.loads(stream.getvalue())
    assert line["exception"] == "KeyError"
    assert "test_the_message_of_an_exception_is_left_out" in line["places"][-1]
    assert "Ada" not in stream.getvalue()


def test_libraries_that_log_what_they_parse_are_silent(stream: io.StringIO) -> None:
    logging.getLogger("python_multipart.multipart").warning("Did not find %r", "Ada")
    logging.getLogger("uvicorn.access").warning("GET /v1/people?name=Ada")
    logging.getLogger("some.library").info("Ada")
    assert stream.getvalue() == ""


def test_line_breaks_stay_inside_the_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "a\nb", None, None)
    assert JsonFormatter().format(record).count("\n") == 0
