"""An export rebuilds aliases, versions and history after MLflow's database is gone."""

import json
import shutil
from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.promotion import export
from tasks.promotion.aliases import promote, roll_back
from tasks.tracking import history, registry
from tests.tasks.promotion.versions import challenge, rule


def three_champions() -> None:
    for number, accuracy in ((1, 0.90), (2, 0.92), (3, 0.95)):
        challenge(accuracy, digest=f"digest {number}")
        promote(rule())
    challenge(0.91, digest="digest 4")
    assert promote(rule()).refused


def test_a_wiped_database_gets_aliases_history_and_the_way_of_a_rollback_back(
    mlflow_store: Path, migrated_store: Path
) -> None:
    three_champions()
    export.write_export("faces", Path("export.json"))
    before = history.entries("faces")
    shutil.copy(migrated_store, "mlflow.db")
    challenge(0.91, digest="digest 4")  # what `dvc repro register` does: version 1 of the new server
    document = export.read_export(Path("export.json"))
    assert export.restore(document) == []
    held = {"challenger": 1, "champion": 4, "previous-champion": 3}
    assert registry.aliases("faces") == held
    champion = registry.get_version("faces", 4)
    assert champion is not None
    assert (champion.tags["digest"], champion.metric("accuracy")) == ("digest 3", 0.95)
    place = registry.download(registry.location(champion), mlflow_store / "files")
    assert f"model_id: {registry.location(champion).split('/')[-2]}" in (place / "MLmodel").read_text()
    assert [entry.record for entry in history.entries("faces")] == [entry.record for entry in before]
    assert history.gaps([entry.record for entry in before]) == []
    assert export.restore(document) == [], "again does nothing"
    assert (registry.aliases("faces"), len(history.entries("faces"))) == (held, len(before))
    assert [roll_back("faces").champion for _ in range(2)] == [3, 2]


def test_a_version_whose_files_are_gone_is_named_and_restored_later(
    mlflow_store: Path, migrated_store: Path
) -> None:
    three_champions()
    document = export.export("faces")
    shutil.copy(migrated_store, "mlflow.db")
    shutil.rmtree("mlartifacts")
    challenge(0.95, digest="digest 3")
    missing = export.restore(document)
    assert [line.partition(" is not")[0] for line in missing] == ["Version 1", "Version 2", "Version 4"]
    assert "Check out " + "c" * 40 in missing[0]
    assert registry.aliases("faces") == {"challenger": 1, "champion": 1}
    challenge(0.92, digest="digest 2")
    assert len(export.restore(document)) == 2
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1, "previous-champion": 2}
    assert roll_back("faces").champion == 2


def test_another_history_is_not_replaced(mlflow_store: Path) -> None:
    three_champions()
    document = export.export("faces")
    document["history"][1]["record"]["by"] = "eve"
    with pytest.raises(DataInvalid, match="another history of faces: record 2 differs"):
        export.restore(document)


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"format": 2})])
def test_a_file_that_is_not_an_export_is_an_error(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "export.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataInvalid, match=r"is not an export|unsupported format 2"):
        export.read_export(path)
