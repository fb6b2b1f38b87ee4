"""The journal of a forgetting in progress: after an interruption, the same command goes on from it.

It has what is looked for, with the name, so it is removed at the end.
"""

import json
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from facenet.atomic import remove_temporaries, write_text
from facenet.errors import DataInvalid
from tasks import paths
from tasks.forgetting.person import Person
from tasks.forgetting.request import NobodyFound, of_photo

JOURNAL = paths.DATA / "forgetting" / "journal.json"
FORMAT = 1


@dataclass
class Journal:
    """What was decided before the first file was touched, and the places that were cleaned since."""

    person: Person
    pseudonym: str
    when: str
    why: str
    done: list[str] = field(default_factory=list)

    def means(self, identity: str | None, photo: str | None) -> bool:
        """Return whether the journal is that of this person, or of this photo by file or digest."""
        if identity is not None:
            return unicodedata.normalize("NFC", identity) in self.person.identities
        try:
            return not self.person.identities and of_photo(str(photo)).photos <= self.person.photos
        except NobodyFound:  # the file may be removed already
            return False

    def write(self, root: Path) -> None:
        """Write the journal of a workspace atomically."""
        content = {**vars(self), "person": self.person.as_json(), "format": FORMAT}
        write_text(root / JOURNAL, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    @classmethod
    def read(cls, root: Path) -> Self | None:
        """Return the journal of a workspace, None if nothing was interrupted.

        Raises:
            DataInvalid: it is damaged, or of another version.
        """
        path = root / JOURNAL
        try:
            content: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if content.pop("format") != FORMAT:
                raise _damaged(path, f"unsupported format, expected {FORMAT}")
            return cls(**{**content, "person": Person.from_json(content["person"])})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, str(error)) from error

    def remove(self, root: Path) -> None:
        """Remove the journal at the end."""
        folder = (root / JOURNAL).parent
        (root / JOURNAL).unlink(missing_ok=True)
        remove_temporaries(folder)
        folder.rmdir()


def _damaged(path: Path, reason: str) -> DataInvalid:
    return DataInvalid(
        f"{path} is not a valid journal: {reason}. Remove it, and name the person or photo again."
    )
