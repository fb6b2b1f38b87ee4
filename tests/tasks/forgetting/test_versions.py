"""Versions of a real registry are marked by what their data had."""

from pathlib import Path

from tasks.forgetting.place import Action
from tasks.forgetting.versions import Versions
from tasks.tracking.forgotten_mark import TAG
from tasks.tracking.registry import get_version
from tasks.tracking.store import client
from tests.tasks.forgetting.test_tracked import OTHERS, OURS, person_of, run_of, tracked

__all__ = ["tracked"]


def test_versions_are_marked_unless_their_data_was_without_the_person(tracked: Path) -> None:
    person, place = person_of(tracked), Versions("facenet", "person-1")
    assert place.find(person) == []
    mlflow = client()
    mlflow.create_registered_model("facenet")
    for data in (OURS, OTHERS, None):
        run = run_of(tracked, data)
        mlflow.create_model_version(
            "facenet", source="s3://nowhere/model", run_id=run.run_id, description="# Card"
        )
    findings = place.find(person)
    assert [(f.what, f.action) for f in findings] == [
        ("facenet version 1", Action.MARK),
        ("facenet version 3", Action.MARK),
    ]
    place.erase(person, findings)
    assert place.find(person) == []
    (role,) = person.roles
    tags = [version.tags.get(TAG) for number in (1, 2, 3) if (version := get_version("facenet", number))]
    assert tags == [f"person-1 ({role})", None, "person-1 (unknown)"]
    first = get_version("facenet", 1)
    assert first is not None
    assert first.description.startswith("# Card\n\n## Forgotten since")
    again = Versions("facenet", "person-2")
    again.erase(person, again.find(person))
    both = get_version("facenet", 1)
    assert both is not None
    assert both.tags[TAG] == f"person-1 ({role}), person-2 ({role})"
