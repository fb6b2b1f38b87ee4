"""The plot is well-formed, and says nothing but numbers and names of measures."""

from xml.etree import ElementTree

from tasks.monitoring.plot import histograms_svg


def test_one_panel_per_measure() -> None:
    histogram = {"edges": [0.0, 1.0, 2.0], "usual": [0.25, 0.75], "found": [0.0, 1.0]}
    svg = histograms_svg(dict.fromkeys(("side", "centroid_distance", "a", "b", "c"), histogram))
    root = ElementTree.fromstring(svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:6] == ["side", "0", "2", "centroid distance", "0", "2"]
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 5
    assert root.get("height") == str(2 * (22 + 110 + 18 + 14))
