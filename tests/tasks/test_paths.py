"""Every path that dvc.yaml names is in tasks/paths.py, and the other way round."""

from pathlib import Path

import yaml

from tasks import paths


def test_outputs_of_dvc_are_the_paths_of_the_project(root: Path) -> None:
    stages = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    written = {
        str(next(iter(entry)) if isinstance(entry, dict) else entry)
        for stage in stages.values()
        for kind in ("outs", "metrics", "plots")
        for entry in stage.get(kind, [])
    }
    for folder in (paths.RAW, paths.ALIGNED, paths.TRIPLETS, paths.WEIGHTS, paths.MODEL_CARD):
        assert str(folder) in written
    assert {str(paths.FINGERPRINT), str(paths.TRAIN_INPUTS)} <= written
    for name in stages.keys() - {"fingerprint", "inputs"}:  # steps of ingest and train, without a report
        assert str(paths.report(name)) in written
    parents = (paths.DATA, paths.MODELS, paths.REPORTS)
    assert all(any(Path(path).is_relative_to(parent) for parent in parents) for path in written)


def test_metrics_files_have_their_conventional_names() -> None:
    assert paths.report("ingest") == Path("reports/ingest.json")
    assert paths.report("evaluate") == Path("reports/evaluation.json")
    assert paths.report("register") == Path("reports/registration.json")


def test_paths_are_relative_to_the_workspace() -> None:
    found = [value for value in vars(paths).values() if isinstance(value, Path)]
    assert len(found) > 10
    assert not any(path.is_absolute() for path in found)
