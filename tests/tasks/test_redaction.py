"""Passwords and keys do not reach messages, logs, states and reports."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from facenet.errors import DownloadFailed, ParamsInvalid
from flows.process import Lines
from flows.servers import ServerMissing, require_prefect
from tasks import redaction
from tasks.downloads.lookup import locate
from tasks.params import parse_params
from tasks.redaction import has_password, redact
from tasks.tracking.store import TrackingFailed, client, mlflow_errors, public_uri

PASSWORD = "s3cr3t/Pa%40ss"
URL = f"http://ada:{PASSWORD.replace('/', '%2F')}@127.0.0.1:9"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgresql://ada:pw@host:5432/db failed", "postgresql://***@host:5432/db failed"),
        ("https://token@git.example.org/x.git", "https://***@git.example.org/x.git"),
        ("http://a:b@c/ and http://d:e@f/", "http://***@c/ and http://***@f/"),
        ("https://bucket/k?X-Amz-Signature=0af&part=1", "https://bucket/k?X-Amz-Signature=***&part=1"),
        ("get '/x?n=1&token=abc'", "get '/x?n=1&token=***'"),
        ("http://host:5000/#/models", "http://host:5000/#/models"),
        (
            "ada@example.org wrote to models:/facenet@champion",
            "ada@example.org wrote to models:/facenet@champion",
        ),
        ("sqlite:///folder/mlflow.db", "sqlite:///folder/mlflow.db"),
        ("http://host/path@2x.png", "http://host/path@2x.png"),
    ],
)
def test_urls(text: str, clean: str) -> None:
    assert redact(text) == clean
    assert has_password(text) == (text != clean)


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "hunter2000", "hunter2000"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7", "wJalrXUtnFEMI/K7"),
        ("AWS_SESSION_TOKEN", "FwoGZXIvYXdzE", "FwoGZXIvYXdzE"),
        ("PREFECT_API_AUTH_STRING", "admin:correct-horse", "correct-horse"),
        ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql+asyncpg://p:battery%21@h/d", "battery!"),
        ("FACENET_MIRRORS", "/data,https://u:staple42@h/a", "staple42"),
        ("PGPASSWORD", "a b c d e f", "a b c d e f"),
    ],
    ids=range(7),  # pytest puts the id of a test into the environment, and so a secret in it
)
def test_secrets_of_the_environment(
    name: str, value: str, hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hidden in redact(f"said {hidden}.")
    monkeypatch.setenv(name, value)
    assert redact(f"said {hidden}.") == "said ***."
    assert hidden not in redact(f"{name}={value}")


def test_ordinary_variables_are_not_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "true")  # too short to be told from a word
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "parallel")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "accuracy")
    assert redact("true parallel accuracy") == "true parallel accuracy"


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    """A password in the URLs of all servers."""
    for name in ("MLFLOW_TRACKING_URI", "FACENET_MIRRORS"):
        monkeypatch.setenv(name, URL)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return "s3cr3t"


def test_a_failed_download_names_no_password(secret: str, tmp_path: Path) -> None:
    signed = "http://127.0.0.1:9/faces.zip?X-Amz-Signature=s3cr3t"
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1:9/faces\.zip") as failed:
        locate("faces.zip", urls=[signed], downloads=tmp_path, pause=0)
    assert secret not in str(failed.value)


def test_a_server_that_does_not_answer_is_named_without_its_password(secret: str) -> None:
    assert public_uri() == "http://127.0.0.1:9"
    says = r"MLflow at http://127.0.0.1:9 says: .*\*\*\*@"
    with pytest.raises(TrackingFailed, match=says) as failed, mlflow_errors():
        client().search_experiments()
    assert secret not in str(failed.value)
    for url in (f"{URL}/api", "http://ada:s3cr3t@127.0.0.1:port/api"):
        with pytest.raises(ServerMissing) as missing:
            require_prefect(url, patience=0)
        assert secret not in str(missing.value)


def test_lines_of_stages_and_tools_are_redacted(secret: str) -> None:
    lines = Lines()
    shown = [*lines.feed(f"fatal: unable to access '{URL}/x.git'\nkey s3cr3t%2FPa%40ss\n"), *lines.close()]
    assert shown == ["fatal: unable to access 'http://***@127.0.0.1:9/x.git'", "key ***"]


def test_log_records_and_tracebacks_are_redacted(secret: str) -> None:
    script = f"""
import logging
from tasks.redaction import redact_logs
redact_logs()
redact_logs()
logging.basicConfig()
log = logging.getLogger("x")
log.warning("%s does not answer", {URL!r})
try:
    raise ValueError({URL!r})
except ValueError:
    log.exception("failed")
log.warning("%d", "no number")
from tasks.entry import stage_main
def main(): raise RuntimeError({URL!r})
stage_main(main)
"""
    root = Path(redaction.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert done.returncode == 1
    shown = "\n".join(line for line in done.stderr.splitlines() if "http" in line and "script" not in line)
    assert "WARNING:x:http://***@127.0.0.1:9 does not answer" in shown
    assert "ValueError: http://***@127.0.0.1:9" in shown
    assert "RuntimeError: http://***@127.0.0.1:9" in shown
    assert secret not in shown
    assert "--- Logging error ---" in done.stderr, "the wrong call is reported, not hidden"
    assert logging.getLogRecordFactory() is not logging.LogRecord, "importing flows is enough"


def test_a_url_with_a_password_is_refused_in_params(root: Path) -> None:
    default = (root / "recipes" / "default.yaml").read_text()
    text = default.replace("- kind: orl", f"- {{kind: folder, path: x.zip, urls: ['{URL}/x.zip']}}")
    with pytest.raises(ParamsInvalid, match="FACENET_MIRRORS"):
        parse_params(text)
    assert parse_params(text.replace(URL, "https://example.org"))
