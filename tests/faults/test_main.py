"""`python -m faults` runs scenarios and reports each result."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from faults import __main__ as faults
from faults.errors import FaultFound, NotPossible


@pytest.fixture
def scenario(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception | None], None]:
    """Adds a scenario with a name that raises an error, or ends well."""
    known: list[str] = []

    def add(name: str, error: Exception | None) -> None:
        def run(folder: Path) -> None:
            (folder / "file").touch()
            if error:
                raise error

        module = ModuleType(name, f"What {name} breaks.\n\nDetails.")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"faults.scenarios.{name}", module)
        known.append(name)
        monkeypatch.setattr(faults, "names", lambda: known)

    return add


def test_the_table_has_a_row_per_scenario_and_one_failure_fails_all(
    scenario: Callable[[str, Exception | None], None], capsys: pytest.CaptureFixture[str]
) -> None:
    scenario("good", None)
    scenario("bad", FaultFound("two versions"))
    scenario("elsewhere", NotPossible("no PostgreSQL"))
    with pytest.raises(SystemExit) as exited:
        faults.main([])
    assert exited.value.code == 1
    out = capsys.readouterr().out
    assert [line.split()[:2] for line in out.splitlines()[-3:]] == [
        ["good", "ok"],
        ["bad", "FAILED"],
        ["elsewhere", "skipped"],
    ]
    assert "FaultFound: two versions" in out
    assert "skipped: no PostgreSQL" in out
    assert "== good: What good breaks." in out
    with pytest.raises(SystemExit) as exited:
        faults.main(["good"])
    assert exited.value.code == 0


@pytest.mark.parametrize("keep", [True, False])
def test_the_folder_of_a_failure_stays_on_request(
    scenario: Callable[[str, Exception | None], None],
    keep: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scenario("bad", FaultFound("x"))
    scenario("good", None)
    assert faults.trial("bad", keep=keep)[:2] == ("bad", "FAILED")
    faults.trial("good", keep=keep)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["file"] * keep


def test_an_unknown_scenario_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        faults.main(["no_such"])
    assert "unknown scenario no_such; there are: " in capsys.readouterr().err


def test_every_scenario_has_a_headline_and_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    faults.main(["--list"])
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == faults.names() != []
    for name, line in zip(faults.names(), listed, strict=True):
        assert len(line.split()) > 3
        assert callable(sys.modules[f"faults.scenarios.{name}"].run)
