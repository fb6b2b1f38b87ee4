"""The servers named in the environment: checked before a run starts, so that a wrong URL is one line."""

import time

import requests

from facenet.errors import FaceNetError
from tasks.redaction import redact
from tasks.tracking import TrackingFailed, public_uri, tracking_uri

PATIENCE_SECONDS = 8.0  # a server that is just being restarted
REQUEST_SECONDS = 5.0
POLL_SECONDS = 0.5


class ServerMissing(FaceNetError):
    """No Prefect server is configured, or it does not answer."""


def require_prefect(url: str, *, patience: float = PATIENCE_SECONDS) -> None:
    """Wait up to `patience` seconds until the Prefect API at `url` answers.

    Raises:
        ServerMissing: it does not, or something else answers there.
    """
    response = _answer(f"{url.rstrip('/')}/health", patience)
    if isinstance(response, str):
        raise ServerMissing(
            f"The Prefect server {redact(url)} (PREFECT_API_URL) does not answer: {response}. "
            "Start it with `make up`, or run without it: --local."
        )
    if response.text.strip() != "true":
        raise ServerMissing(
            f"{redact(url)} (PREFECT_API_URL) is not the API of a Prefect server. Its URL ends in /api, as "
            "in http://127.0.0.1:4200/api; or run without a server: --local."
        )


def require_mlflow(*, patience: float = PATIENCE_SECONDS) -> None:
    """Wait up to `patience` seconds until the MLflow server answers; other stores have no server to ask.

    Raises:
        TrackingFailed: it does not.
    """
    uri = tracking_uri()
    if not uri.startswith(("http://", "https://")):
        return
    response = _answer(f"{uri.rstrip('/')}/health", patience)
    if isinstance(response, str):
        raise TrackingFailed(
            f"The MLflow server {public_uri()} (MLFLOW_TRACKING_URI) does not answer: {response}. "
            "Start it with `make up`, or unset the variable to use the workspace's SQLite store."
        )


def _answer(url: str, patience: float) -> requests.Response | str:
    """Return the response of a server, or the reason why there is none."""
    end = time.monotonic() + patience
    while True:
        try:
            return requests.get(url, timeout=REQUEST_SECONDS)
        except requests.RequestException as error:
            if time.monotonic() > end:
                return _reason(error)
            time.sleep(POLL_SECONDS)


def _reason(error: requests.RequestException) -> str:
    """Return the innermost reason, without the layers of requests and urllib3."""
    if isinstance(error, requests.Timeout):
        return f"no response within {REQUEST_SECONDS:g} s"
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return redact((inner.strerror if isinstance(inner, OSError) else None) or str(inner))
