"""The scoring flow: its words, and how it fails."""

from pathlib import Path

import pytest

from flows.scoring import in_words, main, page

SUMMARY = {
    "model": "facenet",
    "version": 3,
    "photos": 12,
    "scored": 9,
    "fallbacks": 2,
    "rejected": {"corrupt": 2, "unreadable": 1},
    "out": "scores.parquet",
    "rejects": "scores.rejects.parquet",
}


def test_the_page_has_the_counts_the_files_and_the_rejects() -> None:
    text = "9 of 12 photos embedded with facenet version 3, 2 without a face, 3 rejected"
    assert in_words(SUMMARY) == text
    shown = page(SUMMARY)
    assert shown.startswith(f"# {text}\n\n- embeddings: scores.parquet\n")
    assert "| corrupt | 2 |\n| unreadable | 1 |\n" in shown
    assert "| rejected |" not in page({**SUMMARY, "rejected": {}})


def test_what_cannot_be_scored_is_the_reason_of_the_run(
    workspace: object,
    api: str,
    capsys: pytest.CaptureFixture[str],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    with pytest.raises(SystemExit, match="1"):
        main(["nowhere", "out.parquet"])
    assert "There are no photos at" in capsys.readouterr().err
    assert not Path("out.parquet").exists()
