"""The re-evaluation flow: its words, and the states it ends in."""

from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from flows.reevaluation import conclude, in_words, main, page

REPORT = {
    "model": "facenet",
    "version": 3,
    "pairs_used": 900,
    "accuracy": 0.81,
    "val": 0.5,
    "auc": 0.9,
    "eer": None,
    "accuracy_interval": [0.78, 0.84],
    "registered": {"accuracy": 0.85, "val": 0.6},
    "same_pairs": False,
    "dropped": True,
}


def test_the_page_compares_each_metric() -> None:
    text = (
        "facenet version 3: accuracy 0.8100 (0.7800 to 0.8400) on 900 pairs, 0.8500 at registration on other "
        "pairs: it has dropped"
    )
    assert in_words(REPORT) == text
    assert page(REPORT).startswith(f"# {text}\n")
    assert "| val | 0.5000 | 0.6000 |\n" in page(REPORT)
    assert "| eer | - | - |\n" in page(REPORT)
    assert "unknown at registration" in in_words({**REPORT, "registered": {}, "dropped": None})


@pytest.mark.parametrize(("dropped", "name"), [(True, "AccuracyDropped"), (False, "Completed")])
def test_a_drop_is_a_failed_run(api: str, dropped: bool, name: str) -> None:
    @flow
    def ends() -> Any:
        return conclude({**REPORT, "dropped": dropped})

    state: Any = ends(return_state=True)
    assert state.name == name
    assert state.is_failed() is dropped


def test_without_a_champion_the_run_says_so(
    workspace: object,
    api: str,
    capsys: pytest.CaptureFixture[str],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    with pytest.raises(SystemExit, match="1"):
        main([])
    assert "The registry has no models:/facenet@champion" in capsys.readouterr().err
