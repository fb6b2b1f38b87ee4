"""The version of a running server next to that of the package which talks to it."""

import os
from collections.abc import Iterator
from importlib.metadata import version

from commands.checks.finding import Finding, note, ok, wrong
from tasks.redaction import redact

SECONDS = 5.0


def mlflow_version(uri: str) -> str:
    """Return the version of the MLflow server at a URI, "" if it does not state one."""
    user = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD", "")
    return _stated(f"{uri.rstrip('/')}/version", f"{user}:{password}" if user else "")


def prefect_version(url: str) -> str:
    """Return the version of the Prefect server whose API is at a URL, "" if it does not state one."""
    return _stated(f"{url.rstrip('/')}/admin/version", os.environ.get("PREFECT_API_AUTH_STRING", ""))


def compare_versions(check: str, package: str, place: str, server: str) -> Iterator[Finding]:
    """Compare the version of a server with that of the installed package.

    An older server lacks what the client asks for. A newer one answers older clients, except those of another
    major version.

    Args:
        check: name of the check, and of the server.
        package: the client's.
        place: of the server, printable.
        server: its version; "" if unknown.
    """
    from packaging.version import InvalidVersion, Version

    client = version(package)
    try:
        theirs, ours = Version(server), Version(client)
    except InvalidVersion:
        yield note(check, f"{place} answers, but does not state its version")
        return
    if theirs == ours:
        yield ok(check, f"{place} answers, version {server} as here")
        return
    message = f"{place} runs {package} {server}, and {client} is installed here"
    fix = f"make down && make up, or install {package}=={client} where the server runs"
    differs = wrong if theirs < ours or theirs.major != ours.major else note
    yield differs(check, message, fix)


def _stated(url: str, login: str) -> str:
    import requests

    user, _, password = login.partition(":")
    try:
        response = requests.get(url, timeout=SECONDS, auth=(user, password) if login else None)
        response.raise_for_status()
    except requests.RequestException:  # a server behind a login that this machine does not have
        return ""
    return redact(response.text.strip().strip('"')[:40])
