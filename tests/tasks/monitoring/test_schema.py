"""The columns of the log: nothing that says who somebody is."""

from tasks.monitoring.rows import DecisionRow
from tasks.monitoring.schema import decisions
from tests.tasks.monitoring.log import row


def test_a_row_has_a_value_for_every_column() -> None:
    assert set(row().to_columns()) == set(decisions.columns.keys()) - {"id"}


def test_no_column_can_hold_a_name_a_photo_or_a_template() -> None:
    assert set(DecisionRow.__dataclass_fields__) == {
        *("time", "model", "version", "site", "kind", "decision", "score", "probability", "threshold"),
        *("latency", "main", "face", "other"),
    }
    assert {str(column.type) for column in decisions.columns} <= {"BIGINT", "TEXT", "FLOAT", "BOOLEAN"}
