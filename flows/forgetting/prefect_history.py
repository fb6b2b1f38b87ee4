"""Prefect: artifacts and log lines with the person, in the database of the workspace or behind its API.

A server's API deletes artifacts but no log lines; those of flow runs are deleted by the server after a while.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.local_api import DATABASE
from tasks.forgetting import sqlite
from tasks.forgetting.inspection import Inspection
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

# Tables whose rows are history that nothing else refers to.
TABLES = ("artifact", "artifact_collection", "log", "events", "event_resources", "flow_run_input")
PAGE = 200
LOGS = "Prefect's API cannot delete log lines: delete these flow runs' logs in its database"


@dataclass
class PrefectHistory:
    """The database of flow runs without a server in the workspace `root`, and a configured server."""

    root: Path
    name: str = "Prefect"

    def find(self, person: Person) -> list[Finding]:
        """Return a finding per table of the database, per artifact of the server, and for its log lines."""
        inspection = Inspection(person)
        rows = {
            f"{database}: {table}": len(_rows(database, table, inspection))
            for database in self._databases()
            for table in TABLES
        }
        found = [Finding(what, count=count) for what, count in rows.items() if count]
        found += [Finding(f"artifact {number}", note=f"of {key}") for number, key in _artifacts(inspection)]
        if lines := _log_lines(inspection):
            found.append(Finding("log lines of the server", Action.LEFT, LOGS, lines))
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Delete rows and artifacts, and rewrite the database."""
        inspection = Inspection(person)
        for database in self._databases():
            for table in TABLES:
                if rows := _rows(database, table, inspection):
                    _delete(database, table, rows)
            sqlite.rewrite(database)
        chosen = [
            finding.what.removeprefix("artifact ")
            for finding in findings
            if finding.what.startswith("artifact ")
        ]
        if chosen:
            with _client() as client:
                for identifier in chosen:
                    client.delete_artifact(identifier)

    def _databases(self) -> list[Path]:
        path = self.root / DATABASE
        return [path] if path.exists() else []


def _rows(database: Path, table: str, inspection: Inspection) -> list[Any]:
    """Return the ids of the rows of a table with anything of the person; none if there is no such table."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if not columns:
            return []
        rows = connection.execute(f"SELECT rowid, * FROM {table}")  # noqa: S608  # a constant above
        return [row[0] for row in rows if any(_holds(value, inspection) for value in row[1:])]


def _holds(value: object, inspection: Inspection) -> bool:
    data = value.encode() if isinstance(value, str) else value
    return isinstance(data, bytes) and inspection.holds_bytes(data)


def _delete(database: Path, table: str, rows: Sequence[Any]) -> None:
    with closing(sqlite3.connect(database, timeout=sqlite.BUSY_SECONDS)) as connection, connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(row,) for row in rows])  # noqa: S608


def _server() -> str | None:
    from prefect.settings import get_current_settings

    return get_current_settings().api.url


def _client() -> Any:
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


def _artifacts(inspection: Inspection) -> Iterator[tuple[str, str]]:
    if not _server():
        return

    with _client() as client:
        offset = 0
        while page := client.read_artifacts(limit=PAGE, offset=offset):
            for artifact in page:
                text = artifact.model_dump_json(include={"data", "description"})
                if inspection.holds_bytes(text.encode()):
                    yield str(artifact.id), str(artifact.key)
            offset += len(page)


def _log_lines(inspection: Inspection) -> int:
    if not _server():
        return 0
    found = offset = 0
    with _client() as client:
        while page := client.read_logs(limit=PAGE, offset=offset):
            found += sum(inspection.holds_bytes(line.message.encode()) for line in page)
            offset += len(page)
    return found
