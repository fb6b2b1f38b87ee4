"""Which version of the model is served, and by which of two servers that take turns."""

import json
from dataclasses import asdict, dataclass

from facenet.atomic import write_text
from operations.errors import ServicesFailed
from operations.folder import Folder

SLOTS = ("a", "b")


@dataclass(frozen=True)
class Served:
    """The server that answers, the version in it, and the version that the other one tries.

    version: "" until there is a champion; candidate: "" unless a switch is under way.
    """

    slot: str = "a"
    version: str = ""
    candidate: str = ""

    @property
    def other(self) -> str:
        """The server that does not answer."""
        return SLOTS[1 - SLOTS.index(self.slot)]

    def version_of(self, slot: str) -> str:
        """Return the version that a server has to load, "" for the champion of the moment."""
        return self.version if slot == self.slot else self.candidate


def load_served(folder: Folder) -> Served:
    """Return what is served according to served.json.

    Raises:
        ServicesFailed: the file is damaged.
    """
    try:
        return Served(**json.loads(folder.served.read_text()))
    except FileNotFoundError:
        return Served()
    except (ValueError, TypeError) as error:
        raise ServicesFailed(f"{folder.served} is damaged: delete it, and the champion is served.") from error


def save_served(served: Served, folder: Folder) -> None:
    """Write served.json."""
    write_text(folder.served, json.dumps(asdict(served)) + "\n")
