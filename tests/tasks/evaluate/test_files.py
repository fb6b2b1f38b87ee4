"""The default paths are those of dvc.yaml."""

from dataclasses import asdict
from pathlib import Path

import yaml

from tasks.evaluate.files import EvaluatePaths

INPUTS = ("aligned", "pairs", "attributes", "identities", "weights", "card")


def test_defaults_are_the_inputs_and_outputs_of_the_stage(root: Path) -> None:
    stage = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["evaluate"]
    files = {name: path.as_posix() for name, path in asdict(EvaluatePaths()).items()}
    inputs = {files.pop(name) for name in INPUTS}
    assert inputs == {path for path in stage["deps"] if path.startswith(("data/", "models/"))}
    assert {files.pop(name) for name in ("calibration", "monitoring", "embeddings")} == set(stage["outs"])
    assert all(Path(path).is_relative_to(files["reports"]) for path in stage["metrics"])
    assert files == {"reports": "reports", "cache": "data/cache"}  # the cache is not an output
