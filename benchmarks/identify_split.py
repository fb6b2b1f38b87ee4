"""One random split of people: thresholds measured on some, a gallery of others, and strangers."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.identify_faces import Faces
from facenet.evaluation.distances import Metric
from facenet.identification.galleries import measure_galleries
from facenet.identification.identifier import Identification, Identifier
from facenet.identification.people import EnrolledPeople
from facenet.identification.scorers import Method
from facenet.matching import Matcher
from service.gallery import Enrolment, Gallery

FPIRS = (0.1, 0.01)
STRANGERS = 500
MOST = 1000  # people enrolled
PROBES = 5  # most per person
SINGLE = 200  # faces identified one by one for the time

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows of photos. No person of `calibration` is among the others.

    enrolled: (P, photos). probes: (N,) of enrolled people, owners: (N,) whose, 0 to P - 1. strangers: one
    photo each. calibration: all photos of all other people.
    """

    enrolled: Rows
    probes: Rows
    owners: Rows
    strangers: Rows
    calibration: Rows


@dataclass(frozen=True)
class Answers:
    """What one scorer said in one split, probes of enrolled people first.

    correct: (N + M,) whether the best match is the person. probabilities: (N + M,) of the best match.
    accepted: by target FPIR, (N + M,) whether anyone was named. enrolled: N. milliseconds: per face, one by
    one and in a batch. ready: seconds to prepare the scorer.
    """

    correct: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]
    accepted: dict[float, npt.NDArray[np.bool_]]
    enrolled: int
    milliseconds: tuple[float, float]
    ready: float

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Half of the weight for the probes of enrolled people, half for strangers: the prior."""
        known, total = self.enrolled, len(self.correct)
        return np.where(np.arange(total) < known, 0.5 / known, 0.5 / (total - known))


def choose_split(names: npt.NDArray[np.str_], photos: int, seed: int) -> Split:
    """Return a split with `photos` enrolled per person; up to two thirds of those with more are enrolled."""
    random, rows = np.random.default_rng(seed), _rows(names)
    able = [name for name in sorted(rows) if len(rows[name]) > photos]
    chosen = [str(name) for name in random.permutation(able)[: min(MOST, 2 * len(able) // 3)]]
    others = [str(name) for name in random.permutation(sorted(set(rows) - set(chosen)))]
    enrolled, probes, owners = [], [], []
    for owner, name in enumerate(chosen):
        shuffled = random.permutation(rows[name])
        enrolled.append(shuffled[:photos])
        probes += shuffled[photos : photos + PROBES].tolist()
        owners += [owner] * len(shuffled[photos : photos + PROBES])
    return Split(
        enrolled=np.stack(enrolled),
        probes=np.array(probes, np.int64),
        owners=np.array(owners, np.int64),
        strangers=np.array([random.choice(rows[name]) for name in others[:STRANGERS]], np.int64),
        calibration=np.concatenate([rows[name] for name in others[STRANGERS:]]),
    )


def calibrated(matcher: Matcher, faces: Faces, split: Split, seed: int) -> Matcher:
    """Return the matcher with the measurement on the people who are neither enrolled nor strangers."""
    rows = split.calibration
    measured = measure_galleries(faces.templates[rows], faces.names[rows].tolist(), matcher.metric, seed=seed)
    if measured is None:
        raise ValueError("there are no people to measure thresholds on")
    return replace(matcher, identification=measured.calibration)


def enrol(gallery: Gallery, faces: Faces, split: Split) -> list[float]:
    """Enrol the people of a split under their numbers; return the seconds of each."""
    seconds = []
    for owner, rows in enumerate(split.enrolled):
        enrolments = [Enrolment.of(str(row).encode(), faces.templates[row]) for row in rows]
        began = time.perf_counter()
        gallery.enrol(f"{owner:05d}", enrolments, by="benchmark")
        seconds.append(time.perf_counter() - began)
    return seconds


def open_gallery(folder: Path, faces: Faces, digest: str) -> Gallery:
    """Return a new gallery in a file."""
    return Gallery.open(folder / "gallery.db", model_digest=digest, template_size=faces.templates.shape[1])


def identify(gallery: Gallery, matcher: Matcher, faces: Faces, split: Split, method: Method) -> Answers:
    """Identify all probes and strangers against the enrolled people."""
    began = time.perf_counter()
    people = _people(gallery, matcher.metric, method)
    ready = time.perf_counter() - began
    queries = faces.templates[np.concatenate([split.probes, split.strangers])]
    identifiers = {fpir: Identifier(matcher, fpir=fpir) for fpir in FPIRS}
    began = time.perf_counter()
    answers = {FPIRS[0]: people.identify(queries, identifiers[FPIRS[0]])}
    batch = 1000 * (time.perf_counter() - began) / len(queries)
    answers |= {fpir: people.identify(queries, identifiers[fpir]) for fpir in FPIRS[1:]}
    single = []
    for query in queries[:: max(1, len(queries) // SINGLE)]:
        began = time.perf_counter()
        people.identify(query[None], identifiers[FPIRS[0]])
        single.append(time.perf_counter() - began)
    first = answers[FPIRS[0]]
    truth = [f"{owner:05d}" for owner in split.owners] + [""] * len(split.strangers)
    return Answers(
        correct=np.array([answer.best == name for answer, name in zip(first, truth, strict=True)]),
        probabilities=np.array([answer.probability for answer in first], np.float64),
        accepted={fpir: _named(found) for fpir, found in answers.items()},
        enrolled=len(split.probes),
        milliseconds=(1000 * float(np.median(single)), batch),
        ready=ready,
    )


def metrics(answers: Answers) -> dict[str, Any]:
    """Return rank 1, and TPIR and FPIR at each target, of one split; probes have equal weight."""
    known = np.arange(len(answers.correct)) < answers.enrolled
    found: dict[str, Any] = {"rank1": float(answers.correct[known].mean())}
    for fpir, accepted in answers.accepted.items():
        found[f"tpir_{fpir:g}"] = float((accepted & answers.correct)[known].mean())
        found[f"accepted_{fpir:g}"] = int(accepted[~known].sum())
    return found


def _people(gallery: Gallery, metric: Metric, method: Method) -> EnrolledPeople:
    shot = gallery.snapshot()
    return EnrolledPeople(shot.templates, shot.owners, shot.names, metric, method=method)


def _named(answers: list[Identification]) -> npt.NDArray[np.bool_]:
    return np.array([answer.name is not None for answer in answers])


def _rows(names: npt.NDArray[np.str_]) -> dict[str, Rows]:
    order = np.argsort(names, kind="stable")
    unique, starts = np.unique(names[order], return_index=True)
    return {str(name): rows for name, rows in zip(unique, np.split(order, starts[1:]), strict=True)}
