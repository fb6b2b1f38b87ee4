"""A promotion asks the servers to serve the champion; faults/scenarios/serving_switch.py has real ones."""

import sys
from pathlib import Path

import pytest

from flows import serving


def test_without_servers_nothing_is_served(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setenv("FACENET_SERVICES", str(tmp_path / "none"))
    assert serving.serve_champion() == ""
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "sys.stderr.write('Waiting.\\nServicesFailed: version 3 stays: HTTP 500\\n')",
            "version 3 stays: HTTP 500",
        ),
        ("pass", "exit code 1"),
    ],
)
def test_a_failed_switch_is_reported_with_its_reason(
    code: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "COMMAND", (sys.executable, "-c", f"import sys; {code}; sys.exit(1)"))
    with pytest.raises(serving.NotServed, match=f"^{reason}$"):
        serving.serve_champion()


def test_what_is_served_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "COMMAND", (sys.executable, "-c", "print('Version 4 is served.')"))
    assert serving.serve_champion() == "Version 4 is served."
