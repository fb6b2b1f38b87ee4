"""Given weights on real people: dlib's on LFW, and strangers turned away from a gallery."""

import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet import networks
from facenet.detection import MTCNN
from facenet.detection.aligner import FaceAligner
from facenet.detection.crop import CropSettings
from facenet.embedder import Embedder
from facenet.evaluation.distances import unit_rows
from facenet.identification.rates import open_set, rejection_threshold
from facenet.identification.scorers import SCORERS
from faults.project import new_project
from tasks.reports import read_report

PEOPLE, PHOTOS = 24, 4
KNOWN, ENROLLED, STRANGERS = 30, 3, 240  # people with one photo more than enrolled; people with one photo
LFW = "lfw-deepfunneled.tgz"
WEIGHTS = "inception-resnet-v1-casia-webface.fp16.safetensors"

Embeddings = np.ndarray


def by_person(archive: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Yield one person of LFW after the other with their photos, and read no further than is asked for."""
    person, photos = "", []
    with tarfile.open(archive, "r|gz") as tar:
        for member in tar:
            path = Path(member.name)
            file = tar.extractfile(member) if path.suffix == ".jpg" else None
            if file is None:
                continue
            if path.parent.name != person:
                if photos:
                    yield person, photos
                person, photos = path.parent.name, []
            photos.append(file.read())
    yield person, photos


def _write_people(archive: Path, target: Path) -> None:
    """Write the first photos of the first people who have enough of them."""
    able = ((name, photos) for name, photos in by_person(archive) if len(photos) >= PHOTOS)
    for name, photos in islice(able, PEOPLE):
        (target / name).mkdir(parents=True)
        for number, data in enumerate(photos[:PHOTOS], start=1):
            (target / name / f"{name}_{number:04d}.jpg").write_bytes(data)


@pytest.mark.slow
@pytest.mark.shared
def test_dlibs_network_tells_people_of_lfw_apart(
    root: Path, real_file: Callable[[str], Path], tmp_path: Path
) -> None:
    project = new_project(tmp_path, {}, mirrors=str(real_file(LFW).parent))
    _write_people(real_file(LFW), project.folder / "photos")
    project.run("make", "recipe", "NAME=pretrained on-lfw-view2")
    source = {"kind": "folder", "path": "photos", "role": "evaluate"}
    project.change({"ingest": {"sources": [source]}})
    project.run("dvc", "repro")
    metrics = read_report(project.folder / "reports" / "evaluation.json")
    assert metrics["pairs_used"] == metrics["pairs_total"] > 200
    assert metrics["accuracy"] > 0.97  # 0.99 on all of LFW
    assert read_report(project.folder / "reports" / "train.json")["epochs"] == 0
    assert read_report(project.folder / "reports" / "registration.json")["aliases"] == ["challenger"]


@pytest.fixture(scope="module")
def lfw_embeddings(real_file: Callable[[str], Path]) -> tuple[Embeddings, Embeddings]:
    """(30 known people, 4 photos, 512) and (240 strangers, 512), by the CASIA-WebFace weights."""
    weights = real_file(WEIGHTS)
    known: list[list[bytes]] = []
    strangers: list[bytes] = []
    for _, photos in by_person(real_file(LFW)):
        if len(photos) > ENROLLED and len(known) < KNOWN:
            known.append(photos[: ENROLLED + 1])
        elif len(photos) == 1 and len(strangers) < STRANGERS:
            strangers += photos
        if (len(known), len(strangers)) == (KNOWN, STRANGERS):
            break
    network = networks.build("inception_resnet_v1", embedding_size=512)
    networks.load_state(network, weights)
    embedder = Embedder(network, image_size=160, batch_size=32)
    aligner = FaceAligner(MTCNN(), "center_weighted", CropSettings(image_size=160, margin=22))
    files, rows = [*chain.from_iterable(known), *strangers], []
    for start in range(0, len(files), 32):
        pixels = [np.asarray(Image.open(BytesIO(data)).convert("RGB")) for data in files[start : start + 32]]
        rows.append(embedder.embed(np.stack([face.image for face in aligner.align(pixels)])))
    embeddings = np.concatenate(rows)
    return embeddings[: -len(strangers)].reshape(KNOWN, ENROLLED + 1, -1), embeddings[-len(strangers) :]


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
@pytest.mark.parametrize("fpir", [0.05, 0.1, 0.2])
def test_strangers_of_lfw_are_turned_away_at_the_rate_that_was_set(
    lfw_embeddings: tuple[Embeddings, Embeddings], scorer: Callable, fpir: float
) -> None:
    """The threshold of 120 strangers holds for 120 others, as far as samples of that size can tell."""
    people, strangers = lfw_embeddings
    enrolled = unit_rows(np.concatenate([photos[:ENROLLED] for photos in people]))
    by_scorer = scorer(enrolled, np.repeat(np.arange(KNOWN), ENROLLED), "cosine")

    def score(faces: Embeddings) -> Embeddings:
        return by_scorer(unit_rows(faces))

    seen, unseen = strangers[::2], strangers[1::2]
    threshold = rejection_threshold(score(seen), fpir)
    result = open_set(score(people[:, ENROLLED]), np.arange(KNOWN), score(unseen), threshold)
    error = np.sqrt(fpir * (1 - fpir) * (1 / len(seen) + 1 / len(unseen)))
    assert result.fpir > 0
    assert abs(result.fpir - fpir) < 2.5 * error
    assert result.tpir > 0.85  # a threshold that turns everybody away would keep any rate
