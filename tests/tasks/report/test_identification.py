"""A row per size of the gallery, with a star where a rate is not supported."""

from tasks.report.identification import galleries, identification


def row(photos: int, target: str, tpir: float, supported: bool) -> dict[str, str]:
    values = {"photos": photos, "fpir_target": target, "rank1": 0.95, "rank1_low": 0.9, "rank1_high": 0.99}
    values |= {"tpir": tpir, "tpir_low": tpir - 0.1, "tpir_high": tpir + 0.05}
    return {name: str(value) for name, value in values.items()} | {"supported": str(supported).lower()}


def test_each_size_is_a_row_with_the_shown_rates() -> None:
    rows = [
        row(1, "0.3", 0.9, True),
        *(row(1, target, 0.8, True) for target in ("0.1", "0.01", "0.001")),
        *(row(1024, target, 0.5, target != "0.001") for target in ("0.1", "0.01", "0.001")),
    ]
    table = galleries(rows)
    assert [cells[0].replace("\u202f", ",") for cells in table.rows] == ["1", "1,024"]
    assert {len(cells) for cells in table.rows} == {len(table.head)} == {5}
    assert [cell.endswith("*") for cell in table.rows[1]] == [False, False, False, False, True]
    assert not any(cell.endswith("*") for cell in table.rows[0])
    assert "80.0" in table.rows[0][2]


def test_no_rows_give_an_empty_table() -> None:
    assert list(galleries([]).rows) == list(identification([]).rows) == []
