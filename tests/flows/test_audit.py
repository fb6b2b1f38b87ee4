"""The audit flow: its words, its state, and how it ends without a model."""

from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from flows.audit import conclude, in_words, main, page

REPORT = {
    "model": "models:/facenet/3",
    "faces": 400,
    "identities": 40,
    "suspects": {"outlier": 3, "split": 1},
    "findings": {"outlier": 3, "split": 1},
}


def test_the_page_counts_each_kind_and_warns() -> None:
    assert in_words(REPORT) == "4 suspects among 400 faces of 40 people, by models:/facenet/3"
    text = page({**REPORT, "warning": "It was trained on these."})
    assert text.startswith(f"# {in_words(REPORT)}\n\n**It was trained on these.**\n")
    assert "| outlier | 3 | 3 |\n" in text
    assert "**" not in page(REPORT)


@pytest.mark.parametrize(("suspects", "name"), [(2, "Suspects"), (0, "Completed")])
def test_suspects_are_no_failure(api: str, suspects: int, name: str) -> None:
    @flow
    def ends() -> Any:
        return conclude({**REPORT, "suspects": {"outlier": suspects}})

    state: Any = ends(return_state=True)
    assert state.name == name
    assert state.is_completed()


def test_without_faces_the_run_says_so(
    workspace: object,
    api: str,
    capsys: pytest.CaptureFixture[str],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    with pytest.raises(SystemExit, match="1"):
        main(["--model", "pretrained"])
    assert "There are no faces to audit" in capsys.readouterr().err
