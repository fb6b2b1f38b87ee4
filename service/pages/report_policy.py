"""The content security policy of a report: its own styles by their hashes, its own images, nothing else."""

import base64
import hashlib
from html.parser import HTMLParser

# A sandboxed document runs no script, sends no form and has no access to the pages and cookies of the server.
FIXED = (
    "sandbox; default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def report_policy(page: str) -> str:
    """Return the policy under which a page has exactly the style elements and attributes in its HTML.

    Reference: https://www.w3.org/TR/CSP3/#unsafe-hashes-usage (hashes of style attributes).
    """
    styles = _Styles()
    styles.feed(page)
    styles.close()
    hashes = sorted({_hashed(style) for style in (*styles.elements, *styles.attributes)})
    if styles.attributes:
        hashes.append("'unsafe-hashes'")  # the hashes are those of attributes as well
    return f"{FIXED}; style-src {' '.join(hashes) or chr(39) + 'none' + chr(39)}"


class _Styles(HTMLParser):
    """Collects the text of style elements and the values of style attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "style"
        if self._inside:
            self.elements.append("")
        self.attributes.update(value for name, value in attrs if name == "style" and value)

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.elements[-1] += data


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
