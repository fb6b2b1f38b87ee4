"""The known problems of a dataset as sentences, from the reports of the stages and the label audit."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tasks.report.inputs import Findings, Metrics

KINDS = {
    "outlier": "photos that may not show their person",
    "split": "pairs of identities that may be one person",
    "merged": "identities that may be several people",
    "duplicate": "near-duplicates under different identities or in training and evaluation",
    "burst": "series of nearly equal photos",
    "unusable": "faces that can hardly be used",
}


def known_problems(findings: Findings, audit: Mapping[str, int] | None) -> list[str]:
    """Return one sentence per problem, none with the name of a person.

    audit: findings of the label audit by kind, see `open_findings`; None if there was no audit.
    """
    ingest, align, evaluation = (findings.metrics[stage] for stage in ("ingest", "align", "evaluation"))
    return [*_labels(ingest), *_audit(audit), *_faces(align), *_leaks(evaluation), *_evaluation(evaluation)]


def _labels(ingest: Metrics) -> Iterator[str]:
    if count := ingest["rejected"].get("conflicting_identity", 0):
        yield f"{count:,} photos lie in the folders of several people and are used for none of them."
    if count := ingest.get("spellings", {}).get("count", 0):
        yield f"{count:,} names have several spellings."
    if count := ingest.get("decisions", {}).get("pairs_left_out", 0):
        yield f"{count:,} evaluation pairs were left out, because decisions changed whose photos they are."
    if "attributes" not in ingest:
        yield "No source states age, gender or origin: which groups of people are missing is unknown."


def _audit(audit: Mapping[str, int] | None) -> Iterator[str]:
    if audit is None:
        yield "The labels were not audited (`facenet audit`): wrong names in the folders are unknown."
    elif not audit:
        yield "The label audit suspects nothing that is still in the data."
    else:
        found = "; ".join(f"{count:,} {KINDS.get(kind, kind)}" for kind, count in audit.items())
        yield f"The label audit suspects, apart from what was dropped, moved or merged since: {found}."


def _faces(align: Metrics) -> Iterator[str]:
    if count := align.get("fallbacks", 0):
        yield f"In {count:,} photos no face was found; the centre of the photo is used instead."


def _leaks(evaluation: Metrics) -> Iterator[str]:
    sentences: dict[str, Callable[[Any], str]] = {
        "identity_overlap": lambda n: f"{n:,} people of the evaluation are also in the training data.",
        "leaked_photos_equal": lambda n: f"{n:,} evaluated photos also trained, byte for byte.",
        "leaked_photos_alike": lambda n: f"{n:,} evaluated photos are almost equal to one that trained.",
        "leaked_people_alike": lambda n: (
            f"{n:,} evaluated people look like one who trained, by mean embedding."
        ),
    }
    yield from (say(evaluation[key]) for key, say in sentences.items() if evaluation.get(key))


def _evaluation(evaluation: Metrics) -> Iterator[str]:
    if missing := evaluation["pairs_total"] - evaluation["pairs_used"]:
        yield f"{missing:,} evaluation pairs were not used, because a photo or face is missing."
    if (worst := evaluation.get("worst_slice")) is not None:
        yield (
            f"The model is weakest on the slice {worst}: accuracy {evaluation['worst_slice_accuracy']:.3f}, "
            f"against {evaluation['accuracy']:.3f} overall."
        )
    rates = evaluation.get("val_at_far", {})
    if rates and not any(point["supported"] for point in rates.values()):
        yield "The evaluation has too few people to support any false accept rate."
