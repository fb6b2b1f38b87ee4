"""A small workspace with real photos: what the stages write, by the code that writes it."""

import hashlib
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from facenet.detection import Faces
from facenet.images import decode, encode
from tasks import paths
from tasks.align.detection_cache import DetectionCache
from tasks.align.face_cache import keep
from tasks.evaluate.embeddings import vectors
from tasks.forgetting.gathering import gather, workspace_tables
from tasks.forgetting.person import Person
from tasks.ingest.attributes import attributes_table
from tasks.ingest.fingerprint import fingerprint
from tasks.ingest.output import Output, write_output
from tasks.ingest.protocol import draw_pairs, pair_rows, pairs_table, photo_names
from tasks.ingest.records import manifest_table
from tasks.ingest.roles import decide_roles
from tasks.ingest.scan import limits, scan
from tasks.ingest.sources import Opening, open_source
from tasks.ingest.spool import Spool
from tasks.ingest.verdict_cache import VerdictCache
from tasks.params.ingest import IngestParams
from tasks.shards import FACES_SCHEMA, read_table, write_shards
from tests.portraits import orl
from tests.tasks.ingest.settings import ingest_params

ADA = "Ada Lovelace"
PEOPLE = (ADA, "Bob", "Cy", "Di", "Eve", "Flo")
PHOTOS = 3
SIZE = 128  # of an embedding
REPORT = '<html><body><p>Ada_Lovelace_0001</p><img src="data:image/png;base64,{}"></body></html>'


def build(root: Path) -> None:
    """Write photos, data, caches, reports and decisions to `root`; Ada Lovelace is one of six people."""
    for number, person in enumerate(PEOPLE, 1):
        for photo in range(1, PHOTOS + 1):
            path = root / "photos" / person / f"{photo}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            orl(number, photo).save(path, quality=95)
            os.utime(path, (10**9, 10**9))  # old enough for its digest to be remembered
    source = {"kind": "folder", "path": "photos"}
    params = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
    params["ingest"]["sources"] = [source]
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    before = Path.cwd()
    os.chdir(root)
    try:
        chosen = ingest_params(source, held_out_identities=2)
        fingerprint(chosen, paths.FINGERPRINT)
        _ingest(chosen)
        _align()
        _evaluate()
        _decide()
    finally:
        os.chdir(before)


def _ingest(params: IngestParams) -> None:
    """Do what stage ingest does, without Great Expectations, which takes seconds to load."""
    with Spool(paths.DATA) as spool:
        verdicts = VerdictCache(paths.CACHE / "ingest", limits(params))
        opened = [("folder", open_source(params.sources[0], Opening(paths.DOWNLOADS)))]
        records, _ = scan(opened, params, spool, verdicts, 1)
        decide_roles(records, set(), held_out=2, seed=1, allow_overlap=False)
        kept = {record.image_id: record for record in records if record.image_id}
        names = photo_names(record for record in records if record.role == "evaluate")
        drawn = draw_pairs(names, params, 1)
        pairs = pairs_table(pair_rows(drawn, names, kept))
        output = Output(manifest_table(records, 1), pairs, attributes_table(records, {}, kept), drawn, 1)
        write_output(paths.RAW, output, kept, spool)
        verdicts.write(spool)


def _align() -> None:
    rows = read_table(paths.RAW, "images").to_pylist()
    detections = DetectionCache(paths.CACHE / "detections-1")
    for row in rows:
        row["image"] = encode(decode(row["image"])[:92, :92], "webp")
        row |= {"box": [1.0, 1, 90, 90], "landmarks": [[1.0, 2]] * 5, "probability": 0.9}
        row |= {"faces_found": 1, "fallback": False}
        faces = Faces(np.ones((1, 4), np.float32), np.ones(1, np.float32), np.ones((1, 5, 2), np.float32))
        detections.add(row["image_id"], faces)
    detections.close([row["image_id"] for row in rows])
    write_shards(paths.ALIGNED, "faces", FACES_SCHEMA, rows, 1)
    keep(paths.ALIGNED, paths.CACHE / "aligned", "key")


def _evaluate() -> None:
    faces = read_table(paths.ALIGNED, "faces", ["image_id", "image"]).to_pylist()
    numbers = np.random.default_rng(1).normal(size=(len(faces), SIZE)).astype(np.float32)
    columns = vectors(numbers, -numbers)
    digests = [hashlib.sha256(row["image"]).digest() for row in faces]
    (paths.CACHE / "embeddings").mkdir()
    paths.EMBEDDINGS.mkdir()
    ids = pa.array([row["image_id"] for row in faces])
    for path, first in (
        (paths.EMBEDDINGS / "embeddings-0000.arrow", {"image_id": ids}),
        (paths.CACHE / "embeddings" / "1.arrow", {"face_sha256": pa.array(digests, pa.binary(32))}),
    ):
        table = pa.table({**first, **columns})
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
    paths.REPORTS.mkdir(exist_ok=True)
    (paths.REPORTS / "decisions.csv").write_text(f"left_name,right_name\n{ADA}/{ADA}_0001,Bob/Bob_0001\n")
    (paths.REPORTS / "history.csv").write_text("epoch,loss\n1,0.5\n")
    (paths.REPORTS / "report.html").write_text(REPORT.format("iVBORw0KGgo="))
    buffer = io.BytesIO()
    orl(1, 1).resize((40, 40)).save(buffer, "PNG")
    (paths.REPORTS / "worst_errors.png").write_bytes(buffer.getvalue())
    (paths.REPORTS / "roc.png").write_bytes(buffer.getvalue())


def _decide() -> None:
    photo = hashlib.sha256(Path(f"photos/{ADA}/1.jpg").read_bytes()).hexdigest()
    paths.FORGOTTEN.parent.mkdir()
    rows = [f"{photo},Bob,drop,,me,2026-12-01T00:00:00Z,", f",{ADA},merge,Bob,me,2026-12-01T00:00:00Z,"]
    rows.append(",Cy,merge,Di,me,2026-12-01T00:00:00Z,")
    text = "\n".join(["digest,identity,action,target,who,when,why", *rows])
    (paths.FORGOTTEN.parent / "decisions.csv").write_text(f"{text}\n")


def copy_of(template: Path, target: Path) -> Path:
    """Return a copy of a built workspace."""
    shutil.copytree(template, target, dirs_exist_ok=True)
    return target


def gathered(root: Path, name: str = ADA) -> Person:
    """Return a person with everything that photos and tables of a workspace say."""
    person = Person(identities={name})
    for path in sorted((root / "photos" / name).iterdir()):
        person.add_photo(path.read_bytes())
    gather(person, workspace_tables(root))
    return person


def traces_of(root: Path, name: str = ADA) -> dict[str, bytes]:
    """Return what must not be found anywhere afterwards, computed without the code under test."""
    found = {}
    photos = [path.read_bytes() for path in sorted((root / "photos" / name).iterdir())]
    ids = {hashlib.sha256(data).hexdigest() for data in photos}
    for number, data in enumerate(photos):
        found |= {f"photo {number}": data, f"piece {number}": data[1024:2048]}
        for kind in ("sha256", "md5"):
            digest = hashlib.new(kind, data)
            found |= {
                f"{kind} {number}": digest.digest(),
                f"{kind} hex {number}": digest.hexdigest().encode(),
            }
    for table, name_of in ((root / paths.ALIGNED, "faces"), (root / paths.RAW, "images")):
        for row in read_table(table, name_of).to_pylist():
            if row["image_id"] in ids:
                found[f"{name_of} {row['image_id']}"] = row["image"]
    with pa.OSFile(str(root / paths.EMBEDDINGS / "embeddings-0000.arrow")) as file:
        for row in pa.ipc.open_file(file).read_all().to_pylist():
            if row["image_id"] in ids:
                found[f"embedding {row['image_id']}"] = np.array(row["embedding"], "<f4").tobytes()
    return found


def holders(folder: Path, traces: dict[str, bytes]) -> list[str]:
    """Return the files below a folder that contain a trace, also in the decoded columns of a table."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "forgotten.csv":
            content = [path.read_bytes(), *_decoded(path)]
            if any(trace in part for trace in traces.values() for part in content):
                found.append(path.relative_to(folder).as_posix())
    return found


def _decoded(path: Path) -> list[bytes]:
    import pyarrow.parquet as pq

    if path.suffix != ".parquet":
        return []
    table = pq.read_table(path)
    return [
        buffer.to_pybytes()
        for column in table.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer is not None
    ]
