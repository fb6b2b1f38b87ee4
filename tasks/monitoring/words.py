"""The report of a day as a line, as text, as Markdown and as a page."""

import base64
from html import escape
from typing import Any

from facenet.monitoring.check import Check
from tasks.monitoring.plot import histograms_svg

STATES = {
    "ok": "no alarm",
    "alarm": "ALARM",
    "too few": "too few rows to test anything",
    "no rows": "no rows in the log",
}
COLUMNS = ("check", "statistic", "verdict", "value", "alarm above", "p", "usual", "found", "rows")
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
)
TABLE = (
    "table{border-collapse:collapse}td,th{padding:.2rem .6rem;text-align:left;border-bottom:1px solid #8886}"
)


def headline(report: dict[str, Any]) -> str:
    """Return the result of a day in one line."""
    alarms = report["alarms"]
    count = f"{len(alarms)} alarms" if len(alarms) > 1 else "1 alarm"
    state = f"{count}, first {alarms[0]}" if alarms else STATES[report["status"]]
    return f"{report['day']}: {state}; {report['rows']} rows, {report['dropped']} lost, {report['origin']}"


def text(report: dict[str, Any]) -> str:
    """Return the result for a terminal."""
    lines = [headline(report)]
    lines += [f"  alarm: {alarm}" for alarm in report["alarms"]]
    lines += [f"  notice: {notice}" for notice in report["notices"]]
    for site, found in report["sites"].items():
        lines.append(f"  {site}: {found['rows']} rows, {_counts(found['decisions'])}")
        untested = [
            Check(**check) for check in found["checks"] if check["verdict"] in ("too few", "no reference")
        ]
        for verdict in ("too few", "no reference"):
            names = sorted({check.name for check in untested if check.verdict == verdict})
            lines += [f"    {verdict}: {', '.join(names)}"] if names else []
    return "\n".join(lines) + "\n"


def markdown(report: dict[str, Any]) -> str:
    """Return the report as Markdown, with the distributions as images."""
    parts = [f"# Monitoring: {report['status']}", headline(report)]
    parts += [_list("Alarms", report["alarms"]), _list("Notices", report["notices"])]
    for site, found in report["sites"].items():
        rule = " | ".join("---" for _ in COLUMNS)
        rows = "\n".join(f"| {' | '.join(_cells(check))} |" for check in found["checks"])
        parts.append(f"## {site}\n\n{found['rows']} rows: {_counts(found['decisions'])}")
        if found["histograms"]:
            svg = base64.b64encode(histograms_svg(found["histograms"]).encode()).decode()
            parts.append(f"![distributions](data:image/svg+xml;base64,{svg})")
        parts.append(f"| {' | '.join(COLUMNS)} |\n| {rule} |\n{rows}")
    return "\n\n".join(part for part in parts if part) + "\n"


def html(report: dict[str, Any]) -> str:
    """Return the report as a page that loads nothing."""
    parts = [f"<h1>Monitoring: {escape(report['status'])}</h1><p>{escape(headline(report))}</p>"]
    for title in ("alarms", "notices"):
        if report[title]:
            items = "".join(f"<li>{escape(entry)}</li>" for entry in report[title])
            parts.append(f"<h2>{title.capitalize()}</h2><ul>{items}</ul>")
    for site, found in report["sites"].items():
        head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(check))}</tr>"
            for check in found["checks"]
        )
        plot = histograms_svg(found["histograms"]) if found["histograms"] else ""
        parts.append(
            f"<h2>{escape(site)}</h2><p>{found['rows']} rows: {escape(_counts(found['decisions']))}</p>{plot}"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Monitoring {report['day']}</title>"
        f"<style>{STYLE}{TABLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _list(title: str, entries: list[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"- {entry}" for entry in entries)]) if entries else ""


def _counts(decisions: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in decisions.items())


def _cells(check: dict[str, Any]) -> list[str]:
    numbers = [check[name] for name in ("value", "level", "p", "usual", "found")]
    shown = ["" if number is None else f"{number:.4g}" for number in numbers]
    return [check["name"], check["statistic"], check["verdict"], *shown, str(check["rows"])]
