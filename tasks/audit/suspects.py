"""What may be wrong with a photo or a pair of people, and what to decide about it: a row of the report."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from facenet.audit import Findings
from facenet.digests import value_digest
from facenet.identity import fold_name
from tasks.audit.stored import StoredFaces
from tasks.labels.decision import DROP, MERGE, MOVE, SPLIT

OUTLIER, SPLIT_PERSON, MERGED, DUPLICATE = "outlier", "split", "merged", "duplicate"
UNUSABLE, BURST = "unusable", "burst"
KINDS = (OUTLIER, SPLIT_PERSON, MERGED, DUPLICATE, UNUSABLE, BURST)
NOT_WRONG = 0.25  # weight of the gain where the name is correct, and the photo only teaches little


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """One row.

    kind: one of KINDS. digest, identity, photo: the photo as in the manifest; digest and photo are empty for
    a split person. other_identity, other_digest: what it is compared with. score: what was measured, see
    `reason`. probability: that the suspicion is right. gain: see `gain_of`. action, target: the suggested
    decision. group: equal for the rows of one finding. reason: a sentence.
    """

    kind: str
    digest: str = ""
    identity: str
    photo: str = ""
    other_identity: str = ""
    other_digest: str = ""
    score: float
    probability: float
    gain: float
    action: str
    target: str = ""
    group: str = ""
    reason: str

    @property
    def rank(self) -> float:
        """Probability times gain."""
        return self.probability * self.gain


COLUMNS = tuple(field.name for field in fields(Suspect))
NUMBERS = ("score", "probability", "gain")


def gain_of(pairs: float, *, wrong: bool = True) -> float:
    """Return the gain of a decision that corrects so many pairs of photos: log2(1 + pairs).

    A pair is two photos that are, or are not, of one person. The logarithm keeps people with thousands of
    photos from hiding all others. wrong: False if the name is correct.
    """
    return math.log2(1 + pairs) * (1 if wrong else NOT_WRONG)


def group_of(*parts: str) -> str:
    """Return the id of a finding, which depends only on what was found."""
    return value_digest(parts)[:12]


def ordered(suspects: Iterable[Suspect]) -> list[Suspect]:
    """Return the suspects by rank, each photo once: under its highest."""
    found: dict[tuple[str, ...], Suspect] = {}
    for suspect in sorted(suspects, key=lambda s: (-s.rank, s.kind, s.identity, s.digest, s.target)):
        photo = (suspect.digest, suspect.identity)
        found.setdefault(photo if suspect.digest else (*photo, suspect.target), suspect)
    return list(found.values())


def table_of(suspects: Sequence[Suspect]) -> pd.DataFrame:
    """Return the table of label_audit.parquet."""
    table = pd.DataFrame([asdict(suspect) for suspect in suspects], columns=list(COLUMNS))
    return table.astype({name: "float64" if name in NUMBERS else "string" for name in COLUMNS})


def suspects_of(
    found: Findings, faces: StoredFaces, rows: Sequence[int], nearest: Sequence[int]
) -> list[Suspect]:
    """Return the suspects of an audit.

    Args:
        found: by rows of the audited faces.
        faces: all stored faces.
        rows: in `faces`, of each audited face.
        nearest: in `faces`, for each outlier the most similar face of its rival, -1 without one.
    """
    return [
        *_outliers(found, faces, rows, nearest),
        *_split_people(found, faces),
        *_merged_people(found, faces, rows),
    ]


def _outliers(
    found: Findings, faces: StoredFaces, rows: Sequence[int], nearest: Sequence[int]
) -> Iterable[Suspect]:
    for outlier, other in zip(found.outliers, nearest, strict=True):
        face, target = int(rows[outlier.face]), outlier.suggested or ""
        digest = str(faces.photos[face])
        pairs = faces.counts[outlier.identity] - 1 + (faces.counts[target] if target else 0)
        rival = f", and {outlier.other:.2f} to those of {outlier.rival}" if outlier.rival else ""
        yield Suspect(
            kind=OUTLIER,
            digest=digest,
            identity=outlier.identity,
            photo=faces.path(face),
            other_identity=outlier.rival or "",
            other_digest=str(faces.photos[other]) if other >= 0 else "",
            score=outlier.other - outlier.own,
            probability=outlier.probability,
            gain=gain_of(pairs),
            action=MOVE if target else DROP,
            target=target,
            group=group_of(OUTLIER, digest, outlier.identity),
            reason=f"The nearest photos of the same name have a similarity of {outlier.own:.2f}{rival}.",
        )


def _split_people(found: Findings, faces: StoredFaces) -> Iterable[Suspect]:
    for split in found.splits:
        small, large = sorted((split.first, split.second), key=lambda name: (faces.counts[name], name))
        yield Suspect(
            kind=SPLIT_PERSON,
            identity=small,
            other_identity=large,
            score=split.similarity,
            probability=split.probability,
            gain=gain_of(faces.counts[small] * faces.counts[large]),
            action=MERGE,
            target=large,
            group=group_of(SPLIT_PERSON, *sorted((small, large))),
            reason=f"The centres of the two identities have a similarity of {split.similarity:.2f}.",
        )


def _merged_people(found: Findings, faces: StoredFaces, rows: Sequence[int]) -> Iterable[Suspect]:
    taken = {fold_name(name) for name in (*faces.counts, *faces.names)}
    for merged in found.merges:
        target = _new_name(merged.identity, taken)
        taken.add(fold_name(target))
        part = np.asarray(rows)[merged.faces]
        rest = np.flatnonzero(
            (faces.identities == merged.identity) & ~np.isin(faces.photos, faces.photos[part])
        )
        for face in part.tolist():
            yield Suspect(
                kind=MERGED,
                digest=str(faces.photos[face]),
                identity=merged.identity,
                photo=faces.path(face),
                other_identity=merged.identity,
                other_digest=str(faces.photos[rest[0]]) if len(rest) else "",
                score=merged.within - merged.across,
                probability=merged.probability,
                gain=gain_of(len(rest)),
                action=SPLIT,
                target=target,
                group=group_of(MERGED, merged.identity),
                reason=(
                    f"The photos fall into {len(part)} and {len(rest)}: their similarity is "
                    f"{merged.across:.2f} across and {merged.within:.2f} within the looser part."
                ),
            )


def _new_name(identity: str, taken: set[str]) -> str:
    """Return a name that no spelling of the names `taken`, folded, is."""
    number = 2
    while fold_name(f"{identity} ({number})") in taken:
        number += 1
    return f"{identity} ({number})"
