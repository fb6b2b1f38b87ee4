"""Links of a report to files next to it, which the server does not have."""

import re

_LINK = re.compile(r'<a href="[^"#:/?]+">(.*?)</a>', re.DOTALL)


def without_neighbours(page: str) -> str:
    """Return a page whose links to files in its own folder, such as the cards, are plain text."""
    return _LINK.sub(r"\1", page)
