"""The align stage: from the raw table to the table of faces, rejects, contact sheet and metrics."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from facenet.atomic import atomic_path
from facenet.detection import CropSettings, DetectorSettings, runtime_version
from facenet.devices import resolve_device
from tasks import expectations, paths
from tasks.align.contact_sheet import write_contact_sheet
from tasks.align.detection_cache import DetectionCache
from tasks.align.face_cache import PreviousFaces, keep
from tasks.align.keys import detection_key, face_key
from tasks.align.rows import RawRow, raw_rows
from tasks.align.work import AlignedPhoto, Job, Settings, Worker
from tasks.params.align import AlignParams
from tasks.reports import Meter
from tasks.shards import FACES_SCHEMA, read_table, shard_count, sort_key, write_shards
from tasks.workers import run_jobs
from tasks.workers.team import scheduler_address, worker_count

CPU_ROWS, LARGE_ROWS = 32, 256  # per job; large for accelerators and for Dask, where a job costs 0.15 s
BYTES_PER_PIXEL = 2  # of a stored face, approximately: determines the number of shards
FACES_COUNTED = 3  # in one photo; photos with more are counted as "more"


def run(
    params: AlignParams,
    *,
    device: str = "auto",
    raw: Path = paths.RAW,
    aligned: Path = paths.ALIGNED,
    cache: Path = paths.DATA / "cache",
    reports: Path = paths.REPORTS,
) -> dict[str, Any]:
    """Align the photos in `raw` into `aligned`, and return the metrics of reports/align.json.

    The bytes of the output depend only on the raw table, the parameters and the code, not on the number of
    workers, the contents of `cache` or `aligned`, or how often the run was killed.

    Raises:
        DataInvalid: there are no raw photos, no face was detected at all, or workers die.
        ParamsInvalid: parameters conflict, or the device is not available.
    """
    chosen = resolve_device(device)
    settings = _settings(params)
    with Meter() as meter:
        expectations.prepare()
        run_ = _Run(settings, str(chosen), raw=raw, aligned=aligned, cache=cache)
        run_.write()
        write_contact_sheet(
            reports / "align_contact_sheet.png",
            rows=run_.rows,
            rejected=run_.rejected,
            faces=run_.detections,
            raw=raw,
            selection=settings.selection,
        )
    return {
        **run_.metrics(),
        "images_per_second": meter.rate(len(run_.rows)),
        "peak_memory_mb": meter.peak_memory_mb,
        "seconds": round(meter.seconds, 1),
        "device": str(chosen),
        "runtime": runtime_version(chosen),
        "precision": "fp32",
        "workers": run_.workers,
    }


def _settings(params: AlignParams) -> Settings:
    return Settings(
        detector=DetectorSettings(params.min_face, params.thresholds, params.factor, params.max_side),
        selection=params.selection,
        crop=CropSettings(params.method, params.image_size, params.margin, params.margin_in, params.template),
        image_format=params.image_format,
    )


class _Run:
    """One run: its rows in output order, the cached results and the counts."""

    def __init__(self, settings: Settings, device: str, *, raw: Path, aligned: Path, cache: Path) -> None:
        self._settings, self._device, self._raw, self._aligned = settings, device, raw, aligned
        self.workers = worker_count() if device == "cpu" else 1
        rows = raw_rows(raw)
        self._shards = shard_count(len(rows) * settings.crop.image_size**2 * BYTES_PER_PIXEL)
        self.rows = sorted(rows, key=lambda row: sort_key(row._asdict(), self._shards))
        self.detections = DetectionCache(cache / f"detections-{detection_key(settings, device)}")
        self._key, self._kept = face_key(settings, device), cache / "aligned"
        self._previous = PreviousFaces(self._kept, key=self._key, shards=self._shards)
        self._reused = {row.image_id for row in self.rows if self._reusable(row)}
        self.rejected: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._faces_per_photo: Counter[int] = Counter()
        self._sides: Counter[int] = Counter()  # of the selected faces, by the next lower power of two

    def write(self) -> None:
        """Write faces and rejects, validate the faces and cache them for the next run."""
        write_shards(self._aligned, "faces", FACES_SCHEMA, self._faces(), self._shards)
        self._write_rejects()
        self.detections.close(row.image_id for row in self.rows)
        self._validate()
        keep(self._aligned, self._kept, self._key)

    def metrics(self) -> dict[str, Any]:
        """Return the counts for the report."""
        return {
            "images": len(self.rows),
            "faces": self._counts["faces"],
            "fallbacks": self._counts["fallbacks"],
            "rejected": dict(sorted(Counter(self.rejected.values()).items())),
            "faces_per_photo": {
                str(n) if n <= FACES_COUNTED else "more": count
                for n, count in sorted(self._faces_per_photo.items())
            },
            "face_sides": {f"{low}-{2 * low - 1}": count for low, count in sorted(self._sides.items())},
            **({"resized": self._counts["resized"]} if self._settings.crop.method == "none" else {}),
            "searched": self._counts["searched"],
            "reused": self._counts["reused"],
        }

    def _faces(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the output and count them."""
        progress = tqdm(
            self._aligned_photos(), total=len(self.rows), desc="align", unit=" photos", mininterval=1
        )
        for row, aligned_photo in progress:
            if aligned_photo.found is not None:
                self._faces_per_photo[min(len(aligned_photo.found), FACES_COUNTED + 1)] += 1
            if aligned_photo.face is None:
                self.rejected[row.image_id] = aligned_photo.reason or ""
                continue
            self._counts["fallbacks" if aligned_photo.face["fallback"] else "faces"] += 1
            if not aligned_photo.face["fallback"]:
                box = aligned_photo.face["box"]
                self._sides[_power_below(box)] += 1
                self._counts["resized"] += box[2] - box[0] != self._settings.crop.image_size
            labels = {name: getattr(row, name) for name in ("image_id", "identity", "source", "role")}
            yield {**labels, **aligned_photo.face}

    def _aligned_photos(self) -> Iterator[tuple[RawRow, AlignedPhoto]]:
        worker = partial(Worker, self._raw.absolute(), self._settings, self._device)
        results = run_jobs(worker, self._jobs(), self.workers, split=Job.split, name=Job.name)
        for chunk in self._chunks():
            todo = self._without_reused(chunk)
            aligned_photos = next(results)[1] if todo else []
            new = dict(zip((row.image_id for row in todo), aligned_photos, strict=True))
            for row in chunk:
                aligned_photo = new.get(row.image_id) or self._reuse(row)
                self._remember(row, aligned_photo)
                yield row, aligned_photo

    def _chunks(self) -> Iterator[list[RawRow]]:
        size = CPU_ROWS if self._device == "cpu" and not scheduler_address() else LARGE_ROWS
        for start in range(0, len(self.rows), size):
            yield self.rows[start : start + size]

    def _jobs(self) -> Iterator[Job]:
        """Yield a job for each chunk with rows that cannot be reused."""
        for chunk in self._chunks():
            if todo := self._without_reused(chunk):
                yield Job(todo, [self.detections.get(row.image_id) for row in todo])

    def _without_reused(self, chunk: list[RawRow]) -> list[RawRow]:
        return [row for row in chunk if row.image_id not in self._reused]

    def _reusable(self, row: RawRow) -> bool:
        if row.image_id not in self._previous:
            return False
        found = self.detections.get(row.image_id)
        return found is not None and (len(found) > 0 or row.role != "train")

    def _reuse(self, row: RawRow) -> AlignedPhoto:
        self._counts["reused"] += 1
        return AlignedPhoto(self.detections.get(row.image_id), None, self._previous.get(row.image_id))

    def _remember(self, row: RawRow, aligned_photo: AlignedPhoto) -> None:
        if aligned_photo.found is not None and row.image_id not in self.detections:
            self._counts["searched"] += 1
            self.detections.add(row.image_id, aligned_photo.found)

    def _write_rejects(self) -> None:
        manifest = pd.read_parquet(self._raw / paths.MANIFEST.name, columns=["image_id", "path", "status"])
        kept = manifest[manifest["status"] == "kept"]
        path_of = dict(zip(kept["image_id"], kept["path"], strict=True))
        rows = [(image_id, path_of[image_id], reason) for image_id, reason in self.rejected.items()]
        rejects = pd.DataFrame(rows, columns=["image_id", "path", "reason"], dtype="string")
        with atomic_path(self._aligned / paths.REJECTS.name) as temporary:
            rejects.to_parquet(temporary, index=False)

    def _validate(self) -> None:
        columns = [name for name in FACES_SCHEMA.names if name != "image"]
        expectations.validate_faces(read_table(self._aligned, "faces", columns).to_pandas())


def _power_below(box: Sequence[float]) -> int:
    """Return the largest power of two that is at most the longer side of a box in source pixels."""
    x0, y0, x1, y1 = box
    return 1 << (max(1, int(max(x1 - x0, y1 - y0))).bit_length() - 1)
