"""Servers named in the environment that do not answer, or are something else."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from flows.servers import ServerMissing, require_mlflow, require_prefect
from tasks.tracking import TrackingFailed
from tests.servers import free_port


@pytest.fixture
def nowhere() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def other_site() -> Iterator[str]:
    """The URL of a web server that is neither Prefect nor MLflow."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_prefect_server_that_does_not_answer_is_one_line_with_url_and_fix(nowhere: str) -> None:
    with pytest.raises(ServerMissing) as caught:
        require_prefect(f"{nowhere}/api", patience=0)
    message = str(caught.value)
    assert message == (
        f"The Prefect server {nowhere}/api (PREFECT_API_URL) does not answer: Connection refused. "
        "Start it with `make up`, or run without it: --local."
    )


def test_another_site_is_not_a_prefect_api(other_site: str, api: str) -> None:
    with pytest.raises(ServerMissing, match=r"is not the API of a Prefect server\. Its URL ends in /api"):
        require_prefect(other_site, patience=0)
    require_prefect(api, patience=0)


def test_an_mlflow_server_that_does_not_answer_is_one_line_without_password(
    nowhere: str, other_site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = nowhere.replace("http://", "http://ann:secret@")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", secret)
    with pytest.raises(TrackingFailed, match=f"{nowhere} .* does not answer: Connection refused") as caught:
        require_mlflow(patience=0)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other_site)  # any answer will do: a proxy may hide /health
    require_mlflow(patience=0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    require_mlflow(patience=0)
