"""The audit of a workspace from its faces to the files in reports/."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facenet.atomic import atomic_path
from facenet.audit import SUSPICIOUS, Findings, audit, steps
from facenet.audit.faces import AuditFaces
from facenet.digests import folder_digest
from tasks.audit.bursts import bursts
from tasks.audit.decided import undecided
from tasks.audit.duplicates import duplicates
from tasks.audit.page import write_page
from tasks.audit.quality import unusable
from tasks.audit.stored import AuditPaths, StoredFaces, read_stored
from tasks.audit.suspects import KINDS, Suspect, ordered, suspects_of, table_of
from tasks.audit.templates import Templates, Vectors, read_templates
from tasks.evaluate.photo_embedder import trained_here
from tasks.ingest.decision_file import open_decisions
from tasks.params import Params
from tasks.reports import Meter, write_report

TABLE, REPORT, PAGE = "label_audit.parquet", "label_audit.json", "label_audit.html"
Rows = npt.NDArray[np.int64]
# Called with a total and a name; the bar's `update` takes the number done since the last call.
Progress = Callable[[int, str], AbstractContextManager[Any]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Audited:
    """The suspects, most worth a look first, and what label_audit.json has."""

    suspects: list[Suspect]
    report: dict[str, Any]


def run_audit(
    params: Params,
    files: AuditPaths,
    *,
    progress: Progress,
    model: str | None = None,
    suspicious: float = SUSPICIOUS,
) -> Audited:
    """Audit the workspace, and write label_audit.parquet, .json and .html.

    Args:
        params: of the workspace.
        files: where to read and write.
        progress: opens a progress bar.
        model: see FaceModel.load.
        suspicious: least probability of a wrong name.

    Raises:
        DataInvalid: there are no faces, or the decisions are not valid.
        SourceInvalid: there are fewer than two identities, or the registry has no such model.
        WeightsInvalid: the model is missing or damaged.
    """
    with Meter() as meter:
        faces = read_stored(files)
        decisions = open_decisions(params.ingest)
        rows = np.flatnonzero(~faces.fallback)
        with progress(len(rows), "align") as bar:
            templates = read_templates(model, faces.photos[rows], params, files, tick=bar.update)
        warning = _warning(templates, files)
        identities = faces.identities[rows]
        with progress(steps(len(rows)) + len(rows), "audit") as bar:
            found = audit(
                templates.vectors,
                identities,
                suspicious=suspicious,
                seed=params.base.seed,
                tick=bar.update,
            )
            audited = AuditFaces.of(templates.vectors, identities)
            least = params.evaluate.leak_similarity
            copies = duplicates(faces, audited, rows, files.aligned, similarity=least, tick=bar.update)
        suspects = [
            *suspects_of(found, faces, rows.tolist(), _nearest(found, templates.vectors, identities, rows)),
            *copies,
            *unusable(faces, files.aligned, files.cache),
            *bursts(faces, audited, rows, files.aligned),
        ]
        left = undecided(ordered(suspects), decisions)
        decided = len(ordered(suspects)) - len(left)
    report = {
        **_described(templates, faces, suspicious),
        "suspects": {kind: _counted(left, kind) for kind in KINDS},
        "findings": {kind: _groups(left, kind) for kind in KINDS},
        "decided": decided,
        **({"warning": warning} if warning else {}),
        "seconds": round(meter.seconds, 1),
        "peak_memory_mb": meter.peak_memory_mb,
    }
    _write(left, report, params, files)
    return Audited(left, report)


def _described(templates: Templates, faces: StoredFaces, suspicious: float) -> dict[str, Any]:
    return {
        "model": templates.origin,
        "model_digest": templates.digest,
        "faces": len(faces.photos),
        "identities": len(faces.counts),
        "faces_embedded": templates.computed,
        "realigned": templates.realigned,
        "suspicious": suspicious,
    }


def _counted(suspects: Sequence[Suspect], kind: str) -> int:
    return Counter(suspect.kind for suspect in suspects)[kind]


def _groups(suspects: Sequence[Suspect], kind: str) -> int:
    return len({suspect.group for suspect in suspects if suspect.kind == kind})


def _warning(templates: Templates, files: AuditPaths) -> str | None:
    """Return a warning, also logged, if the model has learnt the names that are audited."""
    card = templates.card
    if not trained_here(card) or "aligned" not in card.data:
        return None
    these = card.data["aligned"] == folder_digest(files.aligned)
    warning = (
        f"{templates.origin} was trained on {'these' if these else 'faces of a workspace, perhaps these'}: a "
        "network that has learnt a wrong name finds it plausible. Audit with another model, "
        "such as --model pretrained."
    )
    logger.warning(warning)
    return warning


def _nearest(found: Findings, vectors: Vectors, identities: npt.NDArray[np.str_], rows: Rows) -> list[int]:
    """Return for each outlier the stored face of its rival that is most similar, -1 without a rival."""
    nearest = []
    for outlier in found.outliers:
        theirs = np.flatnonzero(identities == outlier.rival) if outlier.rival else np.zeros(0, np.int64)
        similar = vectors[theirs] @ vectors[outlier.face]
        nearest.append(int(rows[theirs[similar.argmax()]]) if len(theirs) else -1)
    return nearest


def _write(suspects: Sequence[Suspect], report: dict[str, Any], params: Params, files: AuditPaths) -> None:
    files.reports.mkdir(parents=True, exist_ok=True)
    with atomic_path(files.reports / TABLE) as temporary:
        table_of(suspects).to_parquet(temporary, index=False)
    write_report(files.reports / REPORT, report)
    write_page(files.reports / PAGE, suspects, report, params, files.aligned)
