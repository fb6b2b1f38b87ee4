"""Reports as Prefect artifacts, attached to the runs that produced them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from tasks import paths
from tasks.reports import read_report
from tasks.tracking import public_uri

Metrics = dict[str, Any]


def publish(stage: str, *, warn: Callable[[str], None]) -> None:
    """Publish the report of a stage as a table, and those of evaluate and register also as a page.

    The artifacts belong to the current task run. Keys are the same in every run, so Prefect shows their
    history. Without a server they are left out, and `warn` is called: reports/ has the reports as well.
    """
    try:
        _publish(stage, read_report(paths.report(stage)))
    except httpx.HTTPError as error:
        warn(f"The report of {stage} is not among the artifacts of this run: {error}")


def publish_page(key: str, page: str, description: str, *, warn: Callable[[str], None]) -> None:
    """Publish a Markdown page as an artifact of the current run; without a server call `warn` instead."""
    try:
        create_markdown_artifact(page, key=key, description=description)
    except httpx.HTTPError as error:
        warn(f"The summary is not among the artifacts of this run: {error}")


def _publish(stage: str, metrics: Metrics) -> None:
    create_table_artifact(table(metrics), key=stage, description=f"{paths.report(stage)}")
    if stage == "evaluate":
        create_markdown_artifact(evaluation_page(metrics), key="evaluation", description=verdict(metrics))
    if stage == "register":
        _publish_version(metrics)


def _publish_version(registration: Metrics) -> None:
    name = f"{registration['model']} version {registration['version']}"
    create_markdown_artifact(
        registration_page(registration, public_uri()), key="registration", description=name
    )
    if link := version_link(registration, public_uri()):
        create_link_artifact(link, link_text=name, key="registered-version", description=f"{name} in MLflow")


def table(metrics: Metrics) -> list[dict[str, str]]:
    """Return one row per metric; nested metrics have dotted names."""
    return [{"metric": name, "value": _text(value)} for name, value in _flat(metrics)]


def verdict(evaluation: Metrics) -> str:
    """Return the main metrics of an evaluation in one line."""
    return (
        f"accuracy {evaluation['accuracy']:.4f} ± {evaluation['accuracy_std']:.4f}, "
        f"VAL {evaluation['val']:.4f} at FAR {evaluation['far_target']:g}, AUC {evaluation['auc']:.4f}, "
        f"EER {evaluation['eer']:.4f} on {evaluation['pairs_used']} of {evaluation['pairs_total']} pairs"
    )


def evaluation_page(evaluation: Metrics) -> str:
    """Return the evaluation as Markdown: the verdict, then every metric of the report."""
    return f"# {evaluation['protocol']}\n\n**{verdict(evaluation)}**\n\n{_markdown(evaluation)}"


def registration_page(registration: Metrics, uri: str) -> str:
    """Return the registered version as Markdown, with a link or a command to see it in MLflow."""
    name = f"{registration['model']} version {registration['version']}"
    aliases = ", ".join(registration["aliases"]) or "none"
    link = version_link(registration, uri)
    where = f"[{name} in MLflow]({link})" if link else f"`mlflow ui --backend-store-uri {uri}` shows it."
    return f"# {name}\n\n**Aliases: {aliases}**\n\n{where}\n\n{_markdown(registration)}"


def training_page(summary: str, stages: Mapping[str, str], registration: Metrics, uri: str) -> str:
    """Return the page of a training: its result, where to look further, and what each stage did."""
    name, _, result = summary.partition(": ")
    rows = "\n".join(f"| {stage} | {did} |" for stage, did in stages.items())
    results = f"| stage | result |\n| --- | --- |\n{rows}\n"
    return f"# {name}\n\n**{result}**\n\n{links(registration, uri)}\n\n{results}"


def links(registration: Metrics, uri: str) -> str:
    """Return where version, run and report of a registration are, as a Markdown list."""
    name, run_id = f"{registration['model']} version {registration['version']}", registration["run_id"]
    if link := version_link(registration, uri):
        run = f"[run {run_id}]({uri.rstrip('/')}/#/runs/{run_id})"
        where = [f"[{name}]({link})", f"{run}, with the report among its artifacts: reports/report.html"]
    else:
        where = [f"{name} and run {run_id}: `mlflow ui --backend-store-uri {uri}` shows them"]
    return "\n".join(f"- {line}" for line in [*where, "in the workspace: reports/report.html"])


def version_link(registration: Metrics, uri: str) -> str | None:
    """Return the URL of the registered version in the MLflow UI, None without an MLflow server."""
    if not uri.startswith(("http://", "https://")):
        return None
    return f"{uri.rstrip('/')}/#/models/{registration['model']}/versions/{registration['version']}"


def summary(evaluation: Metrics, registration: Metrics) -> str:
    """Return the result of a whole run in one line."""
    aliases = f" ({', '.join(registration['aliases'])})" if registration["aliases"] else ""
    return f"{registration['model']} version {registration['version']}{aliases}: {verdict(evaluation)}"


def _markdown(metrics: Metrics) -> str:
    rows = [f"| {row['metric']} | {_cell(row['value'])} |" for row in table(metrics)]
    return "\n".join(["| metric | value |", "| --- | --- |", *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _flat(metrics: Metrics, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
