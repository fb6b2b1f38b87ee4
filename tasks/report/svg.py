"""Matplotlib charts as inline SVG: in the page's colours and font, accessible to screen readers."""

import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

WIDTH, HEIGHT = 5.0, 3.6  # inches of 72 units: one unit is about one pixel on a phone
# Placeholders for colours of the page, which differ between light, dark and print.
INK, MUTED, LINE, ONE, TWO = "#000101", "#000102", "#000103", "#000104", "#000105"
THEME = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    ONE: "var(--one)",
    TWO: "var(--two)",
}
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.size": 10.5,
    "axes.labelsize": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": LINE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
}
REFERENCE = re.compile(r"#([\w-]+)")


def chart(
    draw: Callable[[Any], None], *, name: str, title: str, description: str, height: float = HEIGHT
) -> Markup:
    """Return what `draw` plots into matplotlib axes as an inline SVG element.

    Args:
        draw: takes the axes; uses the colours defined above.
        name: unique on the page; prefix of all ids.
        title: announced by a screen reader.
        description: the content in words.
        height: inches; the width is 5.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with mpl.rc_context():
        mpl.rcdefaults()  # ignore any matplotlibrc of this machine
        mpl.rcParams.update(SETTINGS)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.subplots())
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return inline(buffer.getvalue(), name=name, title=title, description=description)


def inline(svg: bytes, *, name: str, title: str, description: str) -> Markup:
    """Return an SVG file as an element of a page: themed, titled, with unique ids and no metadata."""
    root = ET.fromstring(svg)  # noqa: S314, matplotlib has just written it
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(key): _themed(value) for key, value in element.attrib.items()}
        element.text, element.tail = ((text or "").strip() for text in (element.text, element.tail))
    _own_ids(root, name)
    root.attrib = {
        "class": "chart",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
    }
    for index, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(tag, id=f"{name}-{tag}")
        element.text = text
        root.insert(index, element)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704, ElementTree has escaped all text


def _local(name: str) -> str:
    """Return a name without its namespace: in HTML, SVG elements have plain names."""
    return name.rpartition("}")[2]


def _themed(value: str) -> str:
    for colour, meaning in THEME.items():
        value = value.replace(colour, meaning)
    return re.sub(r"(font: [\d.]+px)[^;]*|font-family:[^;]*;?", r"\1", value)


def _own_ids(root: ET.Element, name: str) -> None:
    """Prefix referenced ids with `name`, and drop the others."""
    used = {
        found
        for element in root.iter()
        for key, value in element.attrib.items()
        if key in ("href", "clip-path")
        for found in REFERENCE.findall(value)
    }
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id" and value in used:
                element.set(key, f"{name}-{value}")
            elif key == "id":
                del element.attrib[key]
            elif key in ("href", "clip-path"):
                element.set(key, REFERENCE.sub(rf"#{name}-\1", value))
