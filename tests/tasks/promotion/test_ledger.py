"""A decision is recorded before the alias moves; what a killed process left is settled later."""

import pytest

from tasks.promotion import ledger
from tasks.promotion.record import PromotionResult
from tasks.tracking import history
from tasks.tracking.registry import CHAMPION, set_alias
from tests.tasks.promotion.versions import challenge

pytestmark = pytest.mark.usefixtures("mlflow_store")
BETTER = PromotionResult(
    model="faces", action="promoted", reason="better", champion=1, metric="accuracy", metrics={"1": 0.9}
)


def test_a_decision_has_its_author_and_what_versions_it_is_about() -> None:
    challenge(0.9, digest="d1")
    with ledger.recorded(BETTER, by="ada") as stated:
        (entry,) = history.entries("faces")
        assert entry.status == history.OPEN, "before the alias moves"
    (entry,) = history.entries("faces")
    assert entry.status == history.DONE
    assert (stated.by, stated.number, entry.record["at"]) == ("ada", 1, stated.at)
    assert (entry.record["digests"], entry.record["figures"]) == ({"1": "d1"}, {"1": 0.9})
    with ledger.recorded(PromotionResult(model="faces", action="unchanged", reason="same")) as stated:
        assert "@" in stated.by
    assert len(history.entries("faces")) == 1
    assert "ada: better" in ledger.table("faces").splitlines()[1]


def test_what_was_left_open_is_settled_by_where_the_alias_is() -> None:
    for number in (1, 2):
        challenge(0.9)
        record = {
            "model": "faces",
            "action": "promoted",
            "by": "a",
            "reason": "r",
            "at": "",
            "champion": number,
        }
        history.begin(record, metrics={})
    set_alias("faces", CHAMPION, 2)
    ledger.settle("faces")
    assert [entry.status for entry in history.entries("faces")] == [history.INTERRUPTED, history.DONE]
    assert ledger.table("faces").splitlines()[1].endswith("a: r (not completed)")
