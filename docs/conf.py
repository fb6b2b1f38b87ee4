"""Sphinx settings of the documentation site: `make docs` writes it to build/docs."""

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "extensions")]

project = "facenet-pipeline"
html_title = project
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "http_api", "repository_links"]
exclude_patterns = ["extensions"]
nitpicky = False  # numpy and torch have no inventory that can be read offline

smartquotes_action = "De"  # dashes and ellipses; quotes stay, as values are copied from text too

# Markdown as GitHub reads it: headings are targets of links, ```python blocks are highlighted.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Notebooks run on every build, so that what they show is what the code gives today.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 120
nb_ipywidgets_js = {}  # they would be loaded from another host
nb_merge_streams = True

# Docstrings: Google style, with code in single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 70

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = False  # it is fetched from the pages, which a browser refuses without a server
html_theme_options = {"navigation_with_keys": True}


# facenet.photos.Photo, as autodoc writes it out.
PHOTO = (
    "str | ~pathlib.Path | bytes | ~PIL.Image.Image | "
    "~numpy.ndarray[tuple[~typing.Any, ...], ~numpy.dtype[~numpy.uint8]]"
)


def setup(app: Any) -> None:
    """Shorten the type of a photo in signatures."""
    app.connect("autodoc-process-signature", _shorten)


def _shorten(*event: Any) -> tuple[str | None, str | None]:
    signature, answer = event[-2:]
    return signature and signature.replace(PHOTO, "Photo"), answer
