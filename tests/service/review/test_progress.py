from facenet.evaluation.uncertainty import wilson_interval
from service.review.progress import Progress, progress_of
from service.review.standing import Standing
from service.review.suspects import Suspect
from tasks.labels.decision import Decision

P = "a" * 64


def _case(kind: str, status: str, *actions: str) -> tuple[Suspect, Standing]:
    suspect = Suspect("k", kind, "Ann", ((P, ""),), action="drop")
    return suspect, Standing(status, tuple(Decision(P, "Ann", action) for action in actions))


def test_progress_is_counted_in_all_and_by_kind() -> None:
    found = progress_of(
        [
            _case("outlier", "decided", "drop"), _case("outlier", "decided", "keep"),
            _case("outlier", "open"), _case("burst", "stale"), _case("burst", "decided", "drop", "keep"),
        ]
    )  # fmt: skip
    assert found == [
        Progress("all", suspects=5, decided=3, stale=1, confirmed=2),
        Progress("burst", suspects=2, decided=1, stale=1, confirmed=1),
        Progress("outlier", suspects=3, decided=2, stale=0, confirmed=1),
    ]
    assert [one.remaining for one in found] == [1, 0, 1]
    assert found[0].precision == 2 / 3
    assert found[0].interval == wilson_interval(2, 3)


def test_nothing_is_claimed_before_the_first_decision() -> None:
    assert progress_of([]) == [Progress("all")]
    (everything, _) = progress_of([_case("outlier", "open")])
    assert (everything.precision, everything.interval) == (None, None)
