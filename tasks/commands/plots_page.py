"""The page that `dvc plots show` fills, with Vega inside it: DVC's own page loads Vega from the internet.

`make` writes it to .dvc/plots.html, beside the configuration that names it. Vega, Vega-Lite and Vega-Embed
come out of the package vl-convert-python, which their makers publish.
"""

import sys
from pathlib import Path
from typing import Any

from facenet.atomic import write_text

VEGA_LITE = "5.21"  # DVC's plots are specifications of Vega-Lite 5
# DVC fills refresh_tag and plot_divs; scripts, where the addresses would go, is left out.
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
// A table without rows has no specification. Level 1: errors are told, warnings are not.
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
    """Return the template, to be named as plots.html_template in DVC's configuration."""
    from vl_convert import javascript_bundle  # 80 MB: only where it is needed

    bundle: Any = javascript_bundle  # its stub asks for a snippet, which it does not need
    vega = bundle(vl_version=VEGA_LITE).replace("</script", "<\\/script")
    return PAGE.replace("VEGA", vega, 1)


def main() -> None:
    """Write the template to the path that is given."""
    write_text(Path(sys.argv[1]), plots_page())


if __name__ == "__main__":
    main()
