"""The policy names the styles of a page and nothing else."""

import base64
import hashlib

from service.pages.report_policy import report_policy


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def directives(page: str) -> dict[str, list[str]]:
    parts = [part.split() for part in report_policy(page).split("; ")]
    return {name: values for name, *values in parts}


def test_styles_are_allowed_by_their_hashes() -> None:
    page = '<style>p > a { color: red }\n</style><p style="top: 1px">style</p><p style="a: &quot;&amp;">x</p>'
    found = directives(page)
    assert set(found["style-src"]) == {
        hashed("p > a { color: red }\n"),
        hashed("top: 1px"),
        hashed('a: "&'),
        "'unsafe-hashes'",
    }
    assert found["default-src"] == ["'none'"]
    assert found["img-src"] == ["data:"]
    assert found["sandbox"] == []


def test_without_attributes_only_the_element_is_allowed() -> None:
    assert directives("<style>p {}</style><p title='style'>a</p>")["style-src"] == [hashed("p {}")]
    assert directives("<p>")["style-src"] == ["'none'"]


def test_a_page_cannot_write_directives() -> None:
    page = "<style>'none'; script-src *</style><p style=\"x'; script-src *\">"
    assert "script-src" not in report_policy(page)
