"""The template for `dvc plots show` with Vega embedded: DVC's own template loads Vega from the internet.

`make` writes it to .dvc/plots.html, next to the configuration that refers to it. Vega, Vega-Lite and
Vega-Embed come from the package vl-convert-python, published by the Vega project.
"""

import sys
from pathlib import Path
from typing import Any

from facenet.atomic import write_text

VEGA_LITE = "5.21"  # DVC's plots are Vega-Lite 5 specifications
# DVC fills in refresh_tag and plot_divs; its third placeholder, scripts, would hold the addresses.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh_tag}
<title>Plots</title>
<link rel="icon" href="data:,">
<style>
body { font-family: system-ui, sans-serif; margin: 1rem; }
body > div { overflow-x: auto; }
img { max-width: 100%; height: auto; }
</style>
<script>
VEGA
</script>
<script>
// A table without rows has no specification. Level 1: log errors, not warnings.
const embed = vegaEmbed;
vegaEmbed = (place, plot) => {
  if (Object.keys(plot).length) return embed(place, plot, {actions: false, logLevel: 1});
  document.querySelector(place).textContent = place.slice(1) + ": no rows";
};
</script>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def plots_page() -> str:
    """Return the template for plots.html_template in DVC's configuration."""
    from vl_convert import javascript_bundle  # 80 MB: imported only when needed

    bundle: Any = javascript_bundle  # its stub requires a snippet, although it is optional
    vega = bundle(vl_version=VEGA_LITE).replace("</script", "<\\/script")
    return PAGE.replace("VEGA", vega, 1)


def main() -> None:
    """Write the template to the path given on the command line."""
    write_text(Path(sys.argv[1]), plots_page())


if __name__ == "__main__":
    main()
