"""The distributions of a day next to those it is compared with, as SVG without text of the log."""

from collections.abc import Mapping
from typing import Any

COLUMNS = 4
WIDTH, HEIGHT, HEAD, GAP = 220, 110, 22, 14  # pixels of a panel, its title, and between panels
USUAL, FOUND = "#8a8f98", "#c2410c"


def histograms_svg(histograms: Mapping[str, Any]) -> str:
    """Return one panel per measure: bars for the reference, a line for the day."""
    rows = -(-len(histograms) // COLUMNS)
    width, height = COLUMNS * (WIDTH + GAP), rows * (HEAD + HEIGHT + 18 + GAP)
    panels = [
        _panel(
            name, histogram, place % COLUMNS * (WIDTH + GAP), place // COLUMNS * (HEAD + HEIGHT + 18 + GAP)
        )
        for place, (name, histogram) in enumerate(histograms.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12" fill="currentColor" role="img" '
        f'aria-label="Distributions of the day (line) and of the reference (bars)">{"".join(panels)}</svg>'
    )


def _panel(name: str, histogram: Mapping[str, Any], left: float, top: float) -> str:
    usual, found, edges = (histogram[key] for key in ("usual", "found", "edges"))
    highest = max(*usual, *found) or 1
    step = WIDTH / len(usual)
    bars = "".join(
        f'<rect x="{place * step:.1f}" y="{HEIGHT * (1 - value / highest):.1f}" width="{step - 1:.1f}" '
        f'height="{HEIGHT * value / highest:.1f}" fill="{USUAL}" fill-opacity="0.5"/>'
        for place, value in enumerate(usual)
        if value
    )
    line = " ".join(
        f"{(place + 0.5) * step:.1f},{HEIGHT * (1 - value / highest):.1f}"
        for place, value in enumerate(found)
    )
    return (
        f'<g transform="translate({left},{top})"><text y="14">{name.replace("_", " ")}</text>'
        f'<g transform="translate(0,{HEAD})">{bars}'
        f'<polyline points="{line}" fill="none" stroke="{FOUND}" stroke-width="2"/>'
        f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}" stroke="currentColor"/>'
        f'<text y="{HEIGHT + 14}" font-size="10">{edges[0]:.3g}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 14}" font-size="10" text-anchor="end">{edges[-1]:.3g}</text></g></g>'
    )
