"""Passwords of the servers, generated once and readable by this user only."""

import json
import secrets
from dataclasses import asdict, dataclass, field

from operations.errors import ServicesFailed
from operations.folder import Folder, write_private

USER = "admin"  # of Prefect and MLflow


def _generate() -> str:
    return secrets.token_hex(16)  # hexadecimal: needs no escaping in URLs, shells or configuration files


@dataclass(frozen=True)
class Secrets:
    """One password each; they never appear on a command line or in a log."""

    control: str = field(default_factory=_generate)
    postgres: str = field(default_factory=_generate)
    prefect_database: str = field(default_factory=_generate)
    mlflow_database: str = field(default_factory=_generate)
    prefect: str = field(default_factory=_generate)
    mlflow: str = field(default_factory=_generate)
    mlflow_session: str = field(default_factory=_generate)
    s3_id: str = field(default_factory=_generate)
    s3: str = field(default_factory=_generate)

    def __repr__(self) -> str:
        return "Secrets(...)"


def load_secrets(folder: Folder) -> Secrets:
    """Return the secrets in secrets.json, which is created if it is missing.

    Raises:
        ServicesFailed: the file is damaged; a new one would lock us out of the databases.
    """
    if not folder.secrets.exists():
        write_private(folder.secrets, json.dumps(asdict(Secrets()), indent=2) + "\n")
    try:
        return Secrets(**json.loads(folder.secrets.read_text()))
    except (ValueError, TypeError) as error:
        raise ServicesFailed(
            f"{folder.secrets}, the passwords of the servers, is damaged: restore it from a backup."
        ) from error
