"""The pairs that are shown: the worst errors, and their photos."""

from tasks.report.examples import LEAKS, WORST, leak_examples, worst_examples, worst_rows
from tasks.report.inputs import read_findings
from tasks.report.page import Subject
from tasks.report.photos import data_uris


def row(same: bool, distance: float, threshold: float, right: bool) -> dict[str, str]:
    flags = {"same": str(same).lower(), "right": str(right).lower()}
    names = {"left_name": "a/a_0001", "right_name": "b/b_0001"}
    return {**names, **flags, "distance": str(distance), "threshold": str(threshold)}


def test_errors_are_ordered_by_their_distance_from_the_threshold() -> None:
    far, near = row(False, 0.2, 0.9, False), row(False, 0.4, 0.5, False)
    lost, missed = row(True, 1.0, 0.9, False), row(True, 1.5, 0.9, False)
    fine = [row(False, 2.0, 0.9, True), row(True, 0.0, 0.9, True)]
    assert worst_rows([near, lost, *fine, missed, far]) == ([far, near], [missed, lost])
    assert worst_rows(fine) == ([], [])


def test_six_of_each_kind_are_shown() -> None:
    rows = [row(same, 1.0 + place / 10, 1.5, False) for place in range(9) for same in (True, False)]
    assert [len(half) for half in worst_rows(rows)] == [WORST, WORST]


def test_a_pair_has_its_own_two_faces(evaluated: Subject) -> None:
    decisions = read_findings(evaluated.reports).tables["decisions"]
    photos = {"pairs": evaluated.pairs, "aligned": evaluated.aligned}
    halves = worst_examples(decisions, **photos, photos=True)
    assert any(halves)
    import pandas as pd

    pairs = pd.read_parquet(evaluated.pairs)
    ids = {
        name.rpartition("/")[2]: image_id
        for side in ("left", "right")
        for name, image_id in zip(pairs[f"{side}_name"], pairs[side], strict=True)
    }
    stored = data_uris(evaluated.aligned, set(ids.values()))
    for example in (example for half in halves for example in half):
        for face in (example.left, example.right):
            assert face.uri == stored[ids[face.name]]


def test_without_photos_the_names_stay(evaluated: Subject) -> None:
    decisions = read_findings(evaluated.reports).tables["decisions"]
    absent = evaluated.reports / "absent"
    halves = worst_examples(decisions, pairs=absent, aligned=absent, photos=False)
    assert any(halves)
    assert all(face.uri is None and face.name for half in halves for e in half for face in (e.left, e.right))


def test_leaked_photos_are_shown_with_the_photos_they_resemble(evaluated: Subject) -> None:
    first, second = list(_ids(evaluated))[:2]
    by_name = {"found_by": "name", "evaluated": "s1", "trained": "S1", "cosine": "", "evaluated_photo": ""}
    alike = {
        "found_by": "similarity",
        "evaluated": "s1",
        "trained": "s2",
        "cosine": "0.98765",
        "evaluated_photo": first,
        "trained_photo": second,
    }
    (example,) = leak_examples(
        [{**by_name, "trained_photo": ""}, alike], aligned=evaluated.aligned, photos=True
    )
    uris = data_uris(evaluated.aligned, {first, second})
    assert (example.left.uri, example.right.uri) == (uris[first], uris[second])
    assert example.note == "found by similarity, cosine 0.988"
    assert leak_examples([alike], aligned=evaluated.aligned, photos=False) == []
    assert len(leak_examples([alike] * 20, aligned=evaluated.aligned, photos=True)) == LEAKS


def _ids(evaluated: Subject) -> list[str]:
    from tasks.shards import read_table

    ids: list[str] = read_table(evaluated.aligned, "faces", ["image_id"])["image_id"].to_pylist()
    return ids
