"""Links from a page to files of the repository outside docs/, as GitHub follows them, and to folders.

The site has no page for them: such a link becomes the path, in code.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

LINK = re.compile(r"\[([^\]\n]+)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _replace)
    return {"parallel_read_safe": True}


def _replace(app: Sphinx, page: str, source: list[str]) -> None:
    folder = Path(app.env.doc2path(page)).parent
    source[0] = without_repository_links(source[0], folder, Path(app.srcdir))


def without_repository_links(text: str, folder: Path, docs: Path) -> str:
    """Return Markdown in which links that leave `docs`, or lead to a folder, are text and path.

    Args:
        text: of a page in `folder`.
        folder: of the page, inside `docs`.
        docs: the root of the site; its parent is the repository.
    """

    def replaced(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(docs) and not target.is_dir():
            return link[0]
        return f"{link[1]} (`{target.relative_to(docs.parent)}`)"

    return LINK.sub(replaced, text)
