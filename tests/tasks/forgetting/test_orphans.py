"""What MLflow has forgotten is still in the folder of the workspace."""

import base64
import shutil
from pathlib import Path

from tasks.forgetting.orphans import OrphanedArtifacts
from tasks.forgetting.tracked import TrackedArtifacts
from tests.tasks.forgetting.small import ADA
from tests.tasks.forgetting.test_tracked import OURS, person_of, run_of, tracked

__all__ = ["tracked"]


def test_files_of_no_run_go_and_those_of_runs_are_left_to_their_place(tracked: Path) -> None:
    person, run = person_of(tracked), run_of(tracked, OURS)
    run.log_file(tracked / "reports" / "decisions.csv", "reports")
    orphan = tracked / "mlartifacts" / "facenet" / "models" / "m-1" / "artifacts"
    (orphan / "code").mkdir(parents=True)
    photo = (tracked / "photos" / ADA / "1.jpg").read_bytes()
    (orphan / "input_example.json").write_text(f'{{"image": "{base64.b64encode(photo).decode()}"}}')
    (orphan / "MLmodel").write_text(f"path: /srv/{ADA}")
    shutil.copytree(tracked / "reports", tracked / "mlruns" / "0" / "reports")
    place = OrphanedArtifacts(tracked)
    found = sorted(Path(finding.what).name for finding in place.find(person))
    assert found == ["decisions.csv", "input_example.json", "report.html", "worst_errors.png"]
    assert TrackedArtifacts().find(person)
    place.erase(person, place.find(person))
    assert place.find(person) == []
    assert (orphan / "MLmodel").exists()
    assert run.read_file("reports/decisions.csv")


def test_a_workspace_without_artifacts_has_none(tracked: Path) -> None:
    assert OrphanedArtifacts(tracked).find(person_of(tracked)) == []
