"""The result of a promotion or rollback in this workspace: the receipt of the last, and the history of all.

The history that all workspaces share is in MLflow, see tasks/promotion/ledger.py.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facenet.errors import DataInvalid
from facenet.evaluation.comparison import Comparison
from facenet.storage import named
from tasks import paths
from tasks.reports import strict, write_report

RECEIPT = paths.REPORTS / "promotion.json"
HISTORY = paths.REPORTS / "promotions.jsonl"


@dataclass(frozen=True, kw_only=True)
class PromotionResult:
    """The result of a promotion or rollback.

    action: promoted, unchanged (already the champion), rolled_back or refused.
    champion, previous_champion, challenger: version numbers afterwards, None if there is none.
    metrics: the compared metric by version number, on common pairs if the versions scored different ones.
    paired: the comparison of challenger and champion on common pairs, None without the decisions of both.
    at: the time in ISO 8601. by: the user who decided, and where. number: of the record in MLflow's history.
    """

    model: str
    action: str
    reason: str
    champion: int | None = None
    previous_champion: int | None = None
    challenger: int | None = None
    metric: str | None = None
    metrics: dict[str, float] | None = None
    paired: Comparison | None = None
    forced: bool = False
    at: str = ""
    by: str = ""
    number: int | None = None

    @property
    def refused(self) -> bool:
        """Whether the requested action was refused."""
        return self.action == "refused"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON; the key of `metrics` is `figures`, as in every earlier receipt."""
        values = asdict(self)
        values = {"at": values.pop("at"), **values}
        return {{"metrics": "figures"}.get(name, name): value for name, value in values.items()}


def check_writable(history: Path = HISTORY) -> None:
    """Check that the history can be written, before an alias moves.

    Raises:
        DataInvalid: it cannot.
    """
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        history.open("a").close()
    except OSError as error:
        raise DataInvalid(
            f"{history}, the history of promotions, cannot be written: {error}. No alias was moved."
        ) from error


def record(result: PromotionResult, *, receipt: Path = RECEIPT, history: Path = HISTORY) -> None:
    """Append the result to the workspace's history and write the receipt."""
    line = result.to_dict()
    check_writable(history)
    with named(history), history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(strict(line), ensure_ascii=False, allow_nan=False) + "\n")
    write_report(receipt, line)
