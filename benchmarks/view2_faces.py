"""The aligned faces and the pairs of LFW View 2, for measurements that embed them several times."""

import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.stage import LFW
from facenet.atomic import atomic_path
from facenet.detection import FaceAligner
from facenet.evaluation.pairs import PhotoName, parse_pairs
from facenet.evaluation.protocol import PairRows
from facenet.images import decode
from tasks.downloads import locate

PAIRS = "pairs.txt"
BATCH = 32  # photos in memory at once


def view2_pairs() -> tuple[list[PhotoName], PairRows]:
    """Return the photos of View 2 in order of their names, and its pairs as rows of them.

    Raises:
        DownloadFailed: no mirror has pairs.txt.
    """
    pairs = parse_pairs(locate(PAIRS).read_bytes(), origin=PAIRS)
    photos = sorted({photo for pair in pairs for photo in (pair.left, pair.right)})
    row = {photo: number for number, photo in enumerate(photos)}
    return photos, PairRows(
        left=np.array([row[pair.left] for pair in pairs]),
        right=np.array([row[pair.right] for pair in pairs]),
        same=np.array([pair.same for pair in pairs]),
        fold=np.array([pair.fold for pair in pairs], np.int32),
    )


def aligned_faces(photos: list[PhotoName], aligner: FaceAligner, kept: Path) -> NDArray[np.uint8]:
    """Return the aligned faces (N, S, S, 3) of photos; they are kept in a file for the next run."""
    if kept.exists():
        faces: NDArray[np.uint8] = np.load(kept)
        return faces
    found: dict[str, NDArray[np.uint8]] = {}
    wanted = {str(photo) for photo in photos}
    batch: dict[str, bytes] = {}
    with tarfile.open(locate(LFW), "r|gz") as archive:
        for member in archive:
            path = Path(member.name)
            name = f"{path.parent.name}/{path.stem}"
            content = archive.extractfile(member) if name in wanted else None
            if content is not None:
                batch[name] = content.read()
            if len(batch) == BATCH:
                found |= _aligned(batch, aligner)
                batch = {}
    found |= _aligned(batch, aligner)
    faces = np.stack([found[str(photo)] for photo in photos])
    with atomic_path(kept) as temporary, temporary.open("wb") as file:
        np.save(file, faces)
    return faces


def _aligned(batch: dict[str, bytes], aligner: FaceAligner) -> dict[str, NDArray[np.uint8]]:
    faces = aligner.align([decode(data) for data in batch.values()])
    return {name: face.image for name, face in zip(batch, faces, strict=True)}
