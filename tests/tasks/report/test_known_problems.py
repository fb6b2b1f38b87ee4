from typing import Any

from tasks.report.inputs import Findings
from tasks.report.known_problems import known_problems

CLEAN = {"pairs_total": 900, "pairs_used": 900, "accuracy": 0.9}


def _problems(audit: dict[str, int] | None = None, **metrics: dict[str, Any]) -> list[str]:
    stages = {"ingest": {"rejected": {}, "attributes": {}}, "align": {}, "evaluation": CLEAN}
    found = {stage: {**stages[stage], **metrics.get(stage, {})} for stage in stages}
    return known_problems(Findings(found, {}), audit)


def test_clean_data_have_none_that_is_known() -> None:
    assert _problems({}) == ["The label audit suspects nothing that is still in the data."]
    assert _problems(None) == [
        "The labels were not audited (`facenet audit`): wrong names in the folders are unknown."
    ]


def test_the_audit_is_counted_by_kind() -> None:
    (sentence,) = _problems({"outlier": 1200, "split": 2, "other": 1})
    assert sentence == (
        "The label audit suspects, apart from what was dropped, moved or merged since: 1,200 photos that may "
        "not show their person; 2 pairs of identities that may be one person; 1 other."
    )


def test_every_stage_contributes() -> None:
    found = _problems(
        {},
        ingest={
            "rejected": {"conflicting_identity": 4},
            "spellings": {"count": 3},
            "decisions": {"pairs_left_out": 7},
        },
        align={"fallbacks": 2},
        evaluation={
            "identity_overlap": 5,
            "leaked_photos_equal": 6,
            "leaked_photos_alike": 8,
            "leaked_people_alike": 9,
            "pairs_used": 880,
            "worst_slice": "hat, both with a hat",
            "worst_slice_accuracy": 0.7512,
            "val_at_far": {"0.1": {"supported": False}, "0.01": {"supported": False}},
        },
    )
    starts = ("4 photos lie", "3 names", "7 evaluation pairs were left", "The label audit", "In 2 photos")
    starts += ("5 people", "6 evaluated photos also", "8 evaluated photos are", "9 evaluated people")
    starts += (
        "20 evaluation pairs were not used",
        "The model is weakest on the slice hat, both with a hat: ",
    )
    assert [sentence.startswith(start) for sentence, start in zip(found, starts, strict=False)] == [True] * 11
    assert found[10].endswith("accuracy 0.751, against 0.900 overall.")
    assert found[11:] == ["The evaluation has too few people to support any false accept rate."]


def test_sources_without_attributes_say_so() -> None:
    metrics = {"ingest": {"rejected": {}}, "align": {}, "evaluation": CLEAN}
    assert known_problems(Findings(metrics, {}), {})[0].startswith("No source states age, gender or origin")
