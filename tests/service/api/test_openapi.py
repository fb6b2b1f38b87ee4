import json
from pathlib import Path

from service.api.openapi import description


def test_the_api_is_what_the_snapshot_promises(root: Path) -> None:
    snapshot = (root / "docs" / "openapi.json").read_text()
    assert description() == snapshot, (
        "run `python -m service.api.openapi > docs/openapi.json` and check its diff"
    )


def test_every_operation_of_the_api_is_described() -> None:
    paths = json.loads(description())["paths"]
    operations = {f"{method.upper()} {path}" for path, entry in paths.items() for method in entry}
    assert operations == {
        "POST /v1/embed",
        "POST /v1/verify",
        "POST /v1/identify",
        "GET /v1/people",
        "POST /v1/people",
        "GET /v1/people/{name}",
        "DELETE /v1/people/{name}",
        "GET /v1/model",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    }
    for path, entry in paths.items():
        for operation in entry.values():
            assert operation["summary"], path
            assert "4XX" in operation["responses"]
