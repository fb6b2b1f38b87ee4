import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.audit.__main__ import main


def test_it_audits_the_working_folder(
    space: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    root: Path,
) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["align"] = space.params.align.model_dump(mode="json")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    (tmp_path / "data").symlink_to(space.files.raw.parent)
    monkeypatch.chdir(tmp_path)
    main(["--model", "pretrained"])
    assert json.loads(capsys.readouterr().out) == space.done.report["suspects"]
    assert (tmp_path / "reports" / "label_audit.parquet").exists()
