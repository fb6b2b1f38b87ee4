"""Requests to our own servers: the body, or a short reason."""

from collections.abc import Callable

import pytest

from operations.http import Unanswered, ask
from tests.operations.conftest import Answers
from tests.servers import free_port


def test_a_body_or_the_status_that_is_an_error(answering: Callable[[Answers], int]) -> None:
    port = answering({"/": (200, "fine"), "/no": (401, "who?")})
    assert ask(f"http://127.0.0.1:{port}/") == b"fine"
    assert ask(f"http://127.0.0.1:{port}/", {"a": 1}, auth="me:secret") == b"fine"
    with pytest.raises(Unanswered, match="HTTP 401") as refused:
        ask(f"http://127.0.0.1:{port}/no")
    assert refused.value.status == 401


def test_a_port_where_nothing_listens() -> None:
    with pytest.raises(Unanswered, match="Connection refused") as refused:
        ask(f"http://127.0.0.1:{free_port()}/")
    assert refused.value.status == 0


def test_no_proxy_is_used(answering: Callable[[Answers], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask(f"http://127.0.0.1:{answering({'/': (200, 'fine')})}/") == b"fine"
