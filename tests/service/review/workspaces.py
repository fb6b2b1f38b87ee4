"""A workspace of the AT&T/ORL faces with wrong labels, known ones, and the audit that finds them."""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from service.review.reviewing import Review
from tasks.ingest.stage import run
from tasks.labels.decisions import write_decisions
from tasks.paths import ALIGNED, MANIFEST, RAW
from tasks.shards import FACES_SCHEMA, read_table, sort_key, write_shards
from tests.tasks.ingest.settings import ingest_params

Photos = list[tuple[str, bytes]]
SWAPPED = 40  # photos of s5 to s24, two each
FALSE = ("s25", "s26", "s27", "s28", "s29")  # the audit suspects a photo of each, wrongly
BAD = ("s30", "s31")  # a photo of each is unusable


@dataclass
class Workspace:
    """root: with photos in folders, ingested and aligned. truth: who is on each photo, by digest."""

    root: Path
    truth: dict[str, str] = field(default_factory=dict)
    label: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def audit(self) -> Path:
        """The file of the audit."""
        return self.root / "reports" / "label_audit.parquet"

    @property
    def decisions(self) -> Path:
        """The file of decisions."""
        return self.root / "labels" / "decisions.csv"

    def ingest(self) -> dict[str, Any]:
        """Run the stage ingest with the decisions, and return its report."""
        params = ingest_params(
            {"kind": "folder", "path": str(self.root / "photos")},
            pairs_per_fold=20,
            decisions=str(self.decisions),
        )
        return run(params, seed=0, raw=self.root / RAW, workers=1)

    def manifest(self) -> list[dict[str, Any]]:
        """Return the rows of the manifest."""
        rows: list[dict[str, Any]] = pq.read_table(self.root / MANIFEST).to_pylist()
        return rows

    def align(self) -> None:
        """Write the photos as aligned faces: they show little else."""
        self._write_faces(read_table(self.root / RAW, "images").to_pylist())

    def write_data(self) -> None:
        """Write manifest and faces, without photos, from the labels."""
        buffer = io.BytesIO()
        Image.new("L", (8, 8)).save(buffer, "webp")
        common = {"source": "folder", "role": "train", "image": buffer.getvalue(), "status": "kept"}
        rows = [{"image_id": digest, "identity": name} | common for digest, name in self.label.items()]
        self._write_faces(rows)
        (self.root / MANIFEST).parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), self.root / MANIFEST)

    def _write_faces(self, photos: list[dict[str, Any]]) -> None:
        more = {"box": [0.0] * 4, "landmarks": [[0.0] * 2] * 5, "probability": 1.0, "faces_found": 1}
        rows = [row | more | {"fallback": False} for row in photos]
        rows.sort(key=lambda row: sort_key(row, 1))
        write_shards(self.root / ALIGNED, "faces", FACES_SCHEMA, rows, 1)

    def suspect(self, kind: str, digest: str, action: str, probability: float, **more: Any) -> None:
        """Add a row to the audit."""
        row = {"kind": kind, "digest": digest, "identity": self.label.get(digest, ""), "photo": "",
               "other_identity": "", "other_digest": "", "score": 0.5, "probability": probability,
               "gain": 1.0, "action": action, "target": "", "group": "", "reason": ""}  # fmt: skip
        self.rows.append(row | more)

    def write_audit(self) -> None:
        """Write the rows of the audit."""
        self.audit.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(self.rows), self.audit)

    def of(self, person: str) -> list[str]:
        """Return the digests of the photos that show a person, sorted."""
        return sorted(digest for digest, truth in self.truth.items() if truth == person)


def workspace(root: Path, photos: Photos) -> Workspace:
    """Return a workspace whose audit has 50 suspects.

    40 photos lie in the folder of the next person, s1 is split into s1 and "s1 too", the folder s2 has the
    photos of s3 as well; 5 photos and the pair s32, s33 are suspected wrongly, and 2 photos are unusable.
    """
    made = Workspace(root)
    for number, (person, content) in enumerate(photos):
        place, name = number % 10, person
        if 5 <= int(person[1:]) <= 24 and place < SWAPPED // 20:
            name = f"s{(int(person[1:]) - 5 + 1) % 20 + 5}"
        elif person == "s1" and place >= 5:
            name = "s1 too"
        elif person == "s3":
            name = "s2"
        buffer = io.BytesIO()
        Image.open(io.BytesIO(content)).save(buffer, "png")
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        path = root / "photos" / name / f"{person}-{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
        made.truth[digest], made.label[digest] = person, name
    write_decisions(made.decisions, [])
    made.ingest()
    made.align()
    _audit(made)
    return made


def review_of(made: Workspace, who: str = "eve") -> Review:
    """Return a review of the workspace."""
    return Review(made.root, audit=made.audit, decisions=made.decisions, who=who)


def small_workspace(root: Path) -> Workspace:
    """Return a workspace of three people with four photos each, and six suspects.

    Two photos of Ann are outliers, those of Bob are two parts, Cid may be Ann, and Bob may be Cid.
    """
    made = Workspace(root)
    for person in ("Ann", "Bob", "Cid"):
        for number in range(4):
            made.truth[hashlib.sha256(f"{person} {number}".encode()).hexdigest()] = person
    made.label = dict(made.truth)
    made.write_data()
    first, second, *_ = made.of("Ann")
    made.suspect("outlier", first, "move", 0.9, target="Bob", other_identity="Bob", photo="Ann/0.jpg")
    made.suspect("outlier", second, "drop", 0.8)
    for place, digest in enumerate(made.of("Bob")):
        made.suspect("merged", digest, "split", 0.1, target=f"Bob ({place // 2 + 2})", group="g")
    made.suspect("split", "", "merge", 0.7, identity="Cid", other_identity="Ann", target="Ann")
    made.suspect("split", "", "merge", 0.6, identity="Cid", other_identity="Bob", target="Cid")
    made.write_audit()
    return made


def _audit(made: Workspace) -> None:
    swapped = [digest for digest, person in made.truth.items() if made.label[digest].strip("s").isdigit()
               and made.label[digest] != person and person != "s3"]  # fmt: skip
    for place, digest in enumerate(swapped):
        person = made.truth[digest]
        made.suspect("outlier", digest, "move", 0.99 - place / 1000, target=person, other_identity=person)
    for person in FALSE:
        made.suspect("outlier", made.of(person)[0], "drop", 0.4, other_identity="s40")
    for person in BAD:
        made.suspect("unusable", made.of(person)[0], "drop", 0.6, reason="Too dark.")
    for first, second, probability in (("s1 too", "s1", 0.9), ("s32", "s33", 0.3)):
        made.suspect("split", "", "merge", probability, identity=first, other_identity=second, target=second)
    for digest in made.of("s3"):
        made.suspect("merged", digest, "split", 0.8, target="s2 (2)", group="merged-1")
    made.write_audit()
