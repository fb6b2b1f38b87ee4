"""Charts as part of the page: its colours, its font, unique ids."""

import re
from typing import Any

from tasks.report.svg import INK, LINE, MUTED, ONE, THEME, TWO, chart


def draw(axes: Any) -> None:
    axes.plot([0, 1], [0, 1], "o", color=ONE)
    axes.plot([0, 1], [1, 0], color=TWO)
    axes.set(xlabel="<b>&$x_1$", xlim=(0, 0.5))


def rendered(name: str = "curve") -> str:
    return str(chart(draw, name=name, title="A <title>", description="Up & down"))


def test_colours_are_those_of_the_page() -> None:
    svg = rendered()
    assert "#000" not in svg
    for colour in (INK, MUTED, LINE, ONE, TWO):
        assert THEME[colour] in svg, colour


def test_it_is_named_and_described() -> None:
    assert rendered().startswith(
        '<svg class="chart" viewBox="0 0 360 259.2" role="img" aria-labelledby="curve-title curve-desc">'
        '<title id="curve-title">A &lt;title&gt;</title><desc id="curve-desc">Up &amp; down</desc>'
    )


def test_text_is_text_not_markup() -> None:
    svg = rendered()
    assert "&lt;b&gt;&amp;$x_1$" in svg
    assert "font-family" not in svg
    assert "DejaVu" not in svg


def test_ids_are_those_referred_to_and_begin_with_the_name() -> None:
    for name in ("curve", "other"):
        svg = rendered(name)
        ids = set(re.findall(r' id="([^"]+)"', svg))
        used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
        assert ids - {f"{name}-title", f"{name}-desc"} == {one or other for one, other in used}
        assert all(found.startswith(f"{name}-") for found in ids)


def test_there_is_no_namespace_metadata_or_style() -> None:
    svg = rendered()
    assert not re.search(r"xmlns|xlink|ns\d:|http|<metadata|<style|<!--", svg)


def test_bytes_are_reproducible() -> None:
    assert rendered() == rendered()
