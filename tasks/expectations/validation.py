"""Run the suites on tables: raise one message with all failures, or write a site with all results."""

from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd

from facenet.errors import DataInvalid
from tasks.expectations import suites
from tasks.expectations.tables import Table

SHOWN = 5  # rows listed per failure


def validate(tables: list[Table]) -> None:
    """Check each table with its suite.

    Raises:
        DataInvalid: expectations failed; the message lists all of them.
    """
    context = _context()
    failures = [failure for table in tables for failure in _failures(context, table)]
    if failures:
        advice = "The stage stops. Fix or remove these rows in the source, then run `dvc repro`."
        raise DataInvalid("\n".join(["The data is not valid:", *failures, advice]))


def write_site(tables: list[Table], folder: Path) -> dict[str, bool]:
    """Write Data Docs of all tables to `folder`, and return which tables passed, by name."""
    context, holds = _context(), {}
    context.delete_data_docs_site("local_site")
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.absolute())}
    index = {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False}
    site = {"class_name": "SiteBuilder", "show_how_to_buttons": False, "store_backend": store}
    context.add_data_docs_site("site", {**site, "site_index_builder": index})
    for table in tables:
        expectations = suites.columns(table.suite, table.rows) + suites.contents(table.suite, table.rows)
        suite = context.suites.add(gx.ExpectationSuite(table.name, expectations=expectations))
        data = _batch_definition(context, table)
        asked = context.validation_definitions.add(
            gx.ValidationDefinition(name=table.name, data=data, suite=suite)
        )
        rows = {"result_format": "COMPLETE", "unexpected_index_column_names": list(table.keys)}
        checkpoint = gx.Checkpoint(name=table.name, validation_definitions=[asked], result_format=rows)
        result = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": table.rows})
        holds[table.name] = bool(result.success)
    context.build_data_docs()
    return holds


def _context() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def _batch_definition(context: Any, table: Table) -> Any:
    asset = context.data_sources.add_pandas(table.name).add_dataframe_asset(table.name)
    return asset.add_batch_definition_whole_dataframe("all rows")


def _failures(context: Any, table: Table) -> list[str]:
    batch = _batch_definition(context, table).get_batch(batch_parameters={"dataframe": table.rows})
    for expectations in (suites.columns(table.suite, table.rows), suites.contents(table.suite, table.rows)):
        suite = gx.ExpectationSuite(table.suite, expectations=expectations)
        result = batch.validate(suite, result_format={"result_format": "COMPLETE"})
        failures = [_describe(table, failed) for failed in result.results if not failed.success]
        if failures:
            return failures  # without its columns, nothing else can be checked
    return []


def _describe(table: Table, failed: Any) -> str:
    """Return suite, column, rule, expectation and count on one line, followed by the first offending rows."""
    config, result = failed.expectation_config, failed.result
    names = [config.kwargs[key] for key in ("column", "column_A", "column_B") if key in config.kwargs]
    subject = f"suite {table.suite}" + (f", column {' and '.join(names)}" if names else "")
    head = f"* {subject}: {config.description} ({config.type})"
    if "unexpected_index_list" not in result:
        return f"{head}: {_summary(failed)}"
    rows = sorted(set(result["unexpected_index_list"]))
    lines = [f"{head}: fails in {len(rows)} of {result['element_count']} rows:"]
    lines += [f"    {_row(table.rows.loc[row], [*table.keys, *names])}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"    and {len(rows) - SHOWN} more")
    return "\n".join(lines)


def _summary(failed: Any) -> str:
    """Return the failure of an expectation on a whole table or column."""
    result = failed.result
    if "details" in result:
        return f"missing {', '.join(result['details']['mismatched']['missing'])}"
    if "observed_value" in result:
        return f"found {result['observed_value']}"
    raised = failed.exception_info
    causes = [raised] if "exception_message" in raised else raised.values()
    return "; ".join(sorted({str(cause["exception_message"]) for cause in causes}))


def _row(row: "pd.Series[Any]", names: list[str]) -> str:
    cells = {name: row[name] for name in names if name in row}
    return ", ".join(f"{name}={getattr(cell, 'item', lambda c=cell: c)()!r}" for name, cell in cells.items())
