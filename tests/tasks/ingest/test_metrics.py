from tasks.ingest.metrics import metrics, rejected
from tasks.ingest.records import Record
from tasks.ingest.roles import Roles
from tasks.reports import Meter


def _records() -> list[Record]:
    return [
        Record("a", "1", identity="Ann", role="train"),
        Record("a", "2", identity="Ann", role="train"),
        Record("b", "1", identity="Ann", role="train"),
        Record("b", "2", identity="Eve", role="evaluate"),
        Record("b", "3", identity="Eve", role="evaluate", status="corrupt"),
        Record("b", "4", status="hidden"),
        Record("b", "5", status="corrupt"),
    ]


def _metrics(roles: Roles) -> dict[str, object]:
    pair = {"left": "x", "right": "y", "same": True, "fold": 0}
    pairs = [pair, {**pair, "same": False, "right": None}, {**pair, "fold": -1}, {**pair, "fold": 1}]
    with Meter() as meter:
        pass
    return metrics(_records(), pairs, roles, meter, spellings=["Ann = ANN"], repeated=3)


def test_every_file_is_counted_once() -> None:
    report = _metrics(Roles([], [], []))
    assert (report["found"], report["kept"], report["identities"]) == (7, 4, 2)
    assert report["rejected"] == {"corrupt": 2, "hidden": 1}
    assert report["train"] == {"images": 3, "identities": 1}
    assert report["evaluate"] == {"images": 1, "identities": 1}
    assert report["sources"] == {
        "a": {"found": 2, "kept": 2, "identities": 1},
        "b": {"found": 5, "kept": 2, "identities": 2},
    }
    assert report["pairs"] == {
        "scored": 3,
        "same": 2,
        "different": 1,
        "folds": 2,
        "threshold": 1,
        "with_a_photo_missing": 1,
        "repeated": 3,
        "photos": 2,
        "evaluated_photos_left_out": 1,
    }


def test_spellings_and_conflicts_are_counted_with_names() -> None:
    report = _metrics(Roles([], [], [], ["Ann = Bob", "Bob = Eve"]))
    assert report["spellings"] == {"count": 1, "names": ["Ann = ANN"]}
    assert report["conflicting_identities"] == {"count": 2, "names": ["Ann = Bob", "Bob = Eve"]}


def test_an_overlap_is_reported_first_and_in_capitals() -> None:
    report = _metrics(Roles([], ["Ann"], []))
    name, text = next(iter(report.items()))
    assert name == "WARNING"
    assert str(text).startswith("1 PEOPLE ARE IN TRAINING AND IN EVALUATION")


def test_long_lists_of_names_are_truncated_and_counted() -> None:
    report = _metrics(Roles([f"p{n:03d}" for n in range(100)], [], []))
    excluded = report["excluded_identities"]
    assert isinstance(excluded, dict)
    assert (excluded["count"], len(excluded["names"])) == (100, 20)


def test_reasons_are_sorted_by_count_then_name() -> None:
    records = [Record("a", str(n), status=status) for n, status in enumerate(["z", "b", "a", "z"])]
    assert list(rejected(records).items()) == [("z", 2), ("a", 1), ("b", 1)]
