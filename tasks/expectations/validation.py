"""Run the suites over tables and tell what failed, in rows."""

from typing import Any

import great_expectations as gx
import pandas as pd

from facenet.errors import DataInvalid
from tasks.expectations import suites
from tasks.expectations.tables import Table

SHOWN = 5  # rows of one failure that the message names


def validate(tables: list[Table]) -> None:
    """Check every table by the suite of its name.

    Raises:
        DataInvalid: one or more expectations do not hold; all of them are in the message.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    failures = [line for table in tables for line in _failures(context, table)]
    if failures:
        raise DataInvalid(
            "\n".join([f"The data is not sane, {len(failures)} expectations failed:", *failures])
        )


def _failures(context: Any, table: Table) -> list[str]:
    assets = context.data_sources.add_pandas(table.suite)
    whole = assets.add_dataframe_asset(table.suite).add_batch_definition_whole_dataframe("all")
    batch = whole.get_batch(batch_parameters={"dataframe": table.rows})
    for expectations in (suites.columns(table.suite), suites.contents(table.suite, table.rows)):
        suite = gx.ExpectationSuite(table.suite, expectations=expectations)
        result = batch.validate(suite, result_format={"result_format": "COMPLETE"})
        failures = [_describe(table, failed) for failed in result.results if not failed.success]
        if failures:
            return failures  # without its columns there is nothing to ask of a table
    return []


def _describe(table: Table, failed: Any) -> str:
    """Return suite, expectation, column and count on one line, and the first offending rows below."""
    config, result = failed.expectation_config, failed.result
    names = [config.kwargs[key] for key in ("column", "column_A", "column_B") if key in config.kwargs]
    head = f"  {table.suite}: {' and '.join(names) or 'the table'} must {config.description} ({config.type})"
    if "unexpected_index_list" not in result:
        return f"{head}: {_summary(failed)}"
    rows = sorted(set(result["unexpected_index_list"]))
    lines = [f"{head}: {len(rows)} of {result['element_count']} rows do not"]
    lines += [f"    {_row(table.rows.loc[row], [*table.keys, *names])}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"    and {len(rows) - SHOWN} more")
    return "\n".join(lines)


def _summary(failed: Any) -> str:
    """Return what is wrong with a table as a whole."""
    missing = failed.result.get("details", {}).get("mismatched", {}).get("missing")
    if missing:
        return f"missing {', '.join(missing)}"
    if "observed_value" in failed.result:
        return f"found {failed.result['observed_value']}"
    return f"could not be asked: {failed.exception_info}"


def _row(row: "pd.Series[Any]", names: list[str]) -> str:
    return ", ".join(f"{name}={row[name]!r}" for name in dict.fromkeys(names) if name in row)
