"""The suspects of reports/label_audit.parquet: what one decision of a reviewer is about."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facenet.errors import DataInvalid
from tasks.labels.decision import DROP, KEEP, MERGE, MOVE, SPLIT

PEOPLE = "split"  # the kind of a pair of identities that may be one person
GROUPED = ("merged", "burst")  # kinds whose photos are decided together
NEEDED = ("kind", "digest", "identity")
TEXTS = (*NEEDED, "photo", "other_identity", "other_digest", "action", "target", "reason", "group")
NUMBERS = ("score", "probability", "gain")


@dataclass(frozen=True)
class Suspect:
    """One or several photos of an identity, or a pair of identities, that the audit suspects.

    key: names the suspect in pages and requests; the same after the next audit that finds it. kind: of the
    finding. photos: digests and paths; none for a pair of identities. other: the nearest other identity, or
    the second of a pair; "" if there is none. other_digest: the photo to compare with. probability: that the
    label is wrong. gain: how much a correction is worth. action, target: the suggested decision.
    """

    key: str
    kind: str
    identity: str
    photos: tuple[tuple[str, str], ...]
    other: str = ""
    other_digest: str = ""
    score: float = 0.0
    probability: float = 0.0
    gain: float = 0.0
    action: str = ""
    target: str = ""
    reason: str = ""

    @property
    def is_pair(self) -> bool:
        """Whether it is about two identities instead of photos."""
        return not self.photos

    @property
    def actions(self) -> tuple[str, ...]:
        """The decisions that a reviewer can choose from."""
        return (KEEP, MERGE) if self.is_pair else (KEEP, DROP, MOVE, SPLIT)


def read_suspects(path: Path) -> list[Suspect]:
    """Return the suspects, by falling probability times gain; rows of one merged person or burst are one.

    Optional columns may be missing.

    Raises:
        DataInvalid: there is no such file, it is damaged, or a row is not about a photo or a pair.
    """
    try:
        rows = pq.read_table(path).to_pylist()
    except FileNotFoundError as error:
        raise DataInvalid(f"There is no {path}. Run `facenet audit` first.") from error
    except (pa.ArrowException, OSError) as error:
        raise DataInvalid(f"{path} cannot be read: {error}. Run `facenet audit` again.") from error
    if rows and (missing := [name for name in NEEDED if name not in rows[0]]):
        raise DataInvalid(f"{path} has no column {', '.join(missing)}. Run `facenet audit` again.")
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for number, row in enumerate(map(_complete, rows)):
        grouped = row["kind"] in GROUPED and row["group"]
        own = (row["kind"], row["group"], row["identity"], row["action"], row["target"])
        groups.setdefault(own if grouped else (str(number),), []).append(row)
    found = {suspect.key: suspect for suspect in (_suspect(path, rows) for rows in groups.values())}
    return sorted(found.values(), key=lambda suspect: -suspect.probability * suspect.gain)


def _complete(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: str(row[name]) if row.get(name) is not None else "" for name in TEXTS}
    default = {"score": 0.0, "probability": 0.0, "gain": 1.0}
    return texts | {
        name: float(row[name] if row.get(name) is not None else default[name]) for name in NUMBERS
    }


def _suspect(path: Path, rows: list[dict[str, Any]]) -> Suspect:
    first = rows[0]
    photos = dict.fromkeys((row["digest"], row["photo"]) for row in rows if row["digest"])
    if not first["identity"] or not (photos or (first["kind"] == PEOPLE and first["other_identity"])):
        raise DataInvalid(
            f"{path}: a row of kind {first['kind']!r} names neither a photo of an identity nor two "
            "identities. Run `facenet audit` again."
        )
    return Suspect(
        key=_key(
            [
                first["kind"],
                first["identity"],
                first["other_identity"] if not photos else "",
                *_digests(photos),
            ]
        ),
        kind=first["kind"],
        identity=first["identity"],
        photos=tuple(photos),
        other=first["other_identity"] if first["other_identity"] != first["identity"] else "",
        other_digest=first["other_digest"],
        score=first["score"],
        probability=max(row["probability"] for row in rows),
        gain=max(row["gain"] for row in rows),
        action=first["action"],
        target=first["target"],
        reason=first["reason"],
    )


def _digests(photos: Iterable[tuple[str, str]]) -> list[str]:
    return sorted(digest for digest, _ in photos)


def _key(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
