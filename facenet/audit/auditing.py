"""Find faces under a wrong name, people under two names, and names of two people."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from facenet.audit.evidence import Evidence
from facenet.audit.faces import AuditFaces, Integers
from facenet.audit.findings import Findings, MergedPeople, Outlier, SplitPerson
from facenet.audit.merges import Merges, score_merges
from facenet.audit.outliers import Outliers, score_outliers
from facenet.audit.planting import plant
from facenet.audit.splits import Splits, score_splits

SUSPICIOUS = 0.2  # probability: a suspect costs a look, an error that stays costs accuracy
COPIES = 4  # of the data, with planted errors
PRIORS = {"outlier": 0.005, "split": 0.002, "merged": 0.005}  # least fraction of errors among the cases
# Of errors in the fits, see Evidence.fitted. Pairs of names are doubtful only at much evidence.
FRACTIONS = {"outlier": 0.5, "split": 0.01, "merged": 0.5}
FITS = 0.05  # quantile of the similarities of faces to their own identity: from it on, a face fits a rival
# Measured on LFW with dlib's network, for data with too few identities to learn from.
DEFAULTS = {
    "outlier": Evidence((30.0,), -5.0),
    "split": Evidence((12.5, 29.7, 13.7), -22.3),
    "merged": Evidence((-25.0, 12.0), 2.0),
}


def audit(
    templates: npt.NDArray[np.floating],
    identities: npt.NDArray[np.str_],
    *,
    suspicious: float = SUSPICIOUS,
    seed: int = 0,
    tick: Callable[[int], None] = lambda _rows: None,
) -> Findings:
    """Return what is wrong with the identities of faces.

    People under two names are found first, and their faces are joined; then names of two people, and faces
    under a wrong name. Probabilities are learnt from errors that are planted into copies of the data.

    Args:
        templates: (N, D) comparable vectors, as FaceModel gives them.
        identities: (N,) names.
        suspicious: least probability of a finding.
        seed: of the planted errors.
        tick: called with the number of faces searched since the last call; in all `steps(N)`.

    Raises:
        SourceInvalid: there are fewer than two identities, or a template is not finite or zero.
    """
    faces = AuditFaces.of(templates, identities)
    models = _learnt(faces, seed, tick)
    splits = score_splits(faces)
    probable = models["split"].probabilities(splits.features, prior=PRIORS["split"])
    joined = _joined(faces, splits.pairs[probable >= suspicious])
    merges = score_merges(faces)
    outliers = score_outliers(joined, tick=tick)
    return Findings(
        _outliers(faces, joined, outliers, models["outlier"], suspicious),
        _splits(faces, splits, probable, suspicious),
        _merges(faces, merges, models["merged"], suspicious),
    )


def steps(count: int) -> int:
    """Return how many faces are searched in an audit of `count`, for a progress bar."""
    return (1 + COPIES) * count


def _learnt(faces: AuditFaces, seed: int, tick: Callable[[int], None]) -> dict[str, Evidence]:
    planted: dict[str, list[npt.NDArray[np.floating]]] = {kind: [] for kind in DEFAULTS}
    others: dict[str, list[npt.NDArray[np.floating]]] = {kind: [] for kind in DEFAULTS}
    for copy in range(COPIES):
        found = plant(faces, np.random.default_rng([seed, copy]))
        outliers = score_outliers(found.faces, tick=tick)
        known = np.isfinite(outliers.own)
        splits, merges = score_splits(found.faces), score_merges(found.faces)
        halves = {tuple(pair) for pair in found.halves.tolist()}
        cases = {
            "outlier": (outliers.margins[known], found.moved[known]),
            "split": (
                splits.features,
                np.array([tuple(pair) in halves for pair in splits.pairs.tolist()], bool),
            ),
            "merged": (merges.features, np.isin(merges.identities, found.merged)),
        }
        for kind, (features, wrong) in cases.items():
            planted[kind].append(features[wrong])
            others[kind].append(features[~wrong])
    return {
        kind: Evidence.fitted(
            np.concatenate(planted[kind]), np.concatenate(others[kind]), default, fraction=FRACTIONS[kind]
        )
        for kind, default in DEFAULTS.items()
    }


def _joined(faces: AuditFaces, pairs: Integers) -> AuditFaces:
    """Return the faces with the identities of each pair as one."""
    root = np.arange(len(faces.names))
    for first, second in pairs:
        root[root == root[second]] = root[first]
    return AuditFaces.of(faces.vectors, faces.names[root[faces.owners]])


def _outliers(
    faces: AuditFaces, joined: AuditFaces, scores: Outliers, model: Evidence, suspicious: float
) -> tuple[Outlier, ...]:
    known = np.flatnonzero(np.isfinite(scores.own))
    probable = model.probabilities(scores.margins[known], prior=PRIORS["outlier"])
    fits = float(np.quantile(scores.own[known], FITS)) if len(known) else 0.0
    found = []
    for row, probability in zip(known[probable >= suspicious], probable[probable >= suspicious], strict=True):
        place = joined.order[row]  # in `faces`
        rival = str(joined.names[scores.rival[row]]) if scores.rival[row] >= 0 else None
        found.append(
            Outlier(
                face=int(faces.order[place]),
                identity=str(faces.names[faces.owners[place]]),
                probability=float(probability),
                own=float(scores.own[row]),
                other=float(scores.other[row]),
                rival=rival,
                suggested=rival if scores.other[row] >= fits else None,
            )
        )
    return tuple(sorted(found, key=lambda outlier: (-outlier.probability, outlier.face)))


def _splits(
    faces: AuditFaces, scores: Splits, probable: npt.NDArray[np.floating], suspicious: float
) -> tuple[SplitPerson, ...]:
    found = [
        SplitPerson(str(faces.names[first]), str(faces.names[second]), float(probability), float(features[0]))
        for (first, second), probability, features in zip(
            scores.pairs, probable, scores.features, strict=True
        )
        if probability >= suspicious
    ]
    return tuple(sorted(found, key=lambda split: (-split.probability, split.first, split.second)))


def _merges(
    faces: AuditFaces, scores: Merges, model: Evidence, suspicious: float
) -> tuple[MergedPeople, ...]:
    probable = model.probabilities(scores.features, prior=PRIORS["merged"])
    found = [
        MergedPeople(
            str(faces.names[scores.identities[case]]),
            np.sort(faces.order[scores.parts[case]]),
            float(probable[case]),
            float(scores.features[case, 0]),
            float(scores.features[case, 1]),
        )
        for case in np.flatnonzero(probable >= suspicious)
    ]
    return tuple(sorted(found, key=lambda merged: (-merged.probability, merged.identity)))
