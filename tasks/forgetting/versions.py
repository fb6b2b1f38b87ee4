"""Registered versions whose data had the person: they stay, with a mark."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.forgetting.tracked import had_person
from tasks.tracking import artifacts
from tasks.tracking.forgotten_mark import TAG, has_mark, marked, with_note
from tasks.tracking.registry import Version, describe_version, get_version, tag_version, versions

NOTES = {
    "yes": "trained or evaluated with the person",
    "unknown": "nobody knows whether its data had the person",
}


@dataclass
class Versions:
    """The versions of the registered model `model`, to be marked with a pseudonym."""

    model: str
    pseudonym: str
    name: str = "model versions"

    def find(self, person: Person) -> list[Finding]:
        """Return the versions without the mark whose data had the person, or of which nobody knows."""
        return [
            Finding(f"{self.model} version {version.number}", Action.MARK, NOTES[had])
            for version, had in self._touched(person)
            if not has_mark(version.tags.get(TAG, ""), self.pseudonym)
        ]

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Mark them: a tag, and a section of the model card."""
        wanted = {finding.what for finding in findings}
        for version, had in self._touched(person):
            if f"{self.model} version {version.number}" in wanted:
                roles = " and ".join(sorted(person.roles)) if had == "yes" and person.roles else had
                tag = marked(version.tags.get(TAG, ""), self.pseudonym, roles)
                tag_version(self.model, version.number, {TAG: tag})
                current = get_version(self.model, version.number)
                assert current is not None
                describe_version(current, with_note(current.description, tag))

    def _touched(self, person: Person) -> Iterator[tuple[Version, str]]:
        runs = {owner.id: owner for owner in artifacts.owners() if owner.kind == "run"}
        with tempfile.TemporaryDirectory(prefix="facenet-forget-") as folder:
            for version in versions(self.model):
                owner = runs.get(version.run_id)
                had = "unknown"
                if owner is not None:
                    had = had_person(owner, list(artifacts.files(owner)), person, Path(folder))
                if had != "no":
                    yield version, had
