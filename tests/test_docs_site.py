"""The documentation site, as `make docs` builds it: complete, executed, and no request to another host."""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from tests.browser import Tab, chromium

pytestmark = pytest.mark.slow

# What loads a resource by itself, other than <a href>.
LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object|input)\b[^>]*?\b(?:src|data)=[\"']([^\"']+)"
    r"|<link\b[^>]*?\bhref=[\"']([^\"']+)"
    r"|url\(\s*[\"']?([^\"')]+)"
    r"|@import\s+[\"']([^\"']+)",
    re.IGNORECASE,
)
ELSEWHERE = re.compile(r"(?:https?:)?//")


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The commands of `make docs`, writing elsewhere; a warning of Sphinx or an error in a notebook fails."""
    recipe = (root / "Makefile").read_text().split("\ndocs: ")[1].split("\n\n")[0]
    run, target = (tmp_path_factory.mktemp("docs") / name for name in ("run", "site"))
    sphinx = "sphinx-build --quiet --fail-on-warning --fresh-env docs"
    assert f"python docs/example_run.py {Path('build/example-run')}\n" in recipe
    assert f'FACENET_RUN="$(CURDIR)/build/example-run" {sphinx} build/docs\n' in recipe
    build = [str(Path(sys.executable).with_name("sphinx-build")), *sphinx.split()[1:], str(target)]
    environment = {**os.environ, "PYTHONPATH": str(root), "FACENET_RUN": str(run)}
    for command in ([sys.executable, "docs/example_run.py", str(run)], build):
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return SimpleNamespace(root=root, docs=root / "docs", target=target, run=run)


def page(site: SimpleNamespace, name: str) -> str:
    """Return the main column of a page as text."""
    content = (
        (site.target / f"{name}.html").read_text().split('<article role="main"')[1].split("</article>")[0]
    )
    return html.unescape(re.sub(r"<[^>]+>", "", content))


def sources(docs: Path) -> Iterator[str]:
    for path in sorted([*docs.rglob("*.md"), *docs.rglob("*.ipynb")]):
        yield path.relative_to(docs).with_suffix("").as_posix()


def test_every_page_of_docs_is_in_the_table_of_contents(site: SimpleNamespace) -> None:
    contents = (site.target / "index.html").read_text().split('class="sidebar-tree"')[1].split("</aside>")[0]
    listed = set(re.findall(r'href="([^"#]+)\.html"', contents))
    pages = set(sources(site.docs))
    assert len(pages) > 50
    assert listed | {"index"} == pages


def test_nothing_is_loaded_from_another_host(site: SimpleNamespace) -> None:
    files = [path for path in site.target.rglob("*.*") if path.suffix in (".html", ".css")]
    loaded = 0
    for path in files:
        for found in LOADED.finditer(path.read_text()):
            address = next(filter(None, found.groups()))
            loaded += 1
            assert not ELSEWHERE.match(address), f"{path.relative_to(site.target)}: {address}"
    assert loaded > len(files)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("index", 1280, "light"),
        ("notebooks/read_an_evaluation", 390, "dark"),
        ("python-api", 390, "light"),
        ("http-api", 390, "dark"),
    ],
)
def test_a_page_fits_the_screen_and_needs_no_network(
    site: SimpleNamespace, tab: Tab, name: str, width: int, scheme: str
) -> None:
    tab.open(site.target / f"{name}.html", width=width, scheme=scheme)
    assert tab.value("document.documentElement.scrollWidth") <= width
    assert tab.value("document.title").endswith("facenet-pipeline")
    assert [address for address in tab.requests if not address.startswith(("file:", "data:"))] == []
    assert tab.complaints == []


def test_the_search_works_without_a_server(site: SimpleNamespace, tab: Tab) -> None:
    tab.open(site.target / "search.html", width=1280)
    tab.ask("Page.navigate", url=(site.target / "search.html").as_uri() + "?q=threshold")
    tab.wait("document.querySelectorAll('#search-results li').length > 9")
    assert "Read an evaluation" in tab.value("document.querySelector('#search-results').innerText")
    assert tab.complaints == []


def test_the_home_page_begins_as_the_readme(site: SimpleNamespace) -> None:
    first = (site.root / "README.md").read_text().split("\n\n")[1]
    assert " ".join(first.split()) in " ".join(page(site, "index").split())


def test_every_operation_and_field_of_the_http_api_is_shown(site: SimpleNamespace) -> None:
    shown = page(site, "http-api")
    api = json.loads((site.docs / "openapi.json").read_text())
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            section = shown.split(f"\n{method.upper()} {path}¶")[1].split("¶")[0]
            assert " ".join(operation["description"].split()) in " ".join(section.split())
            fields = [parameter["name"] for parameter in operation.get("parameters", [])]
            for body in operation.get("requestBody", {}).get("content", {}).values():
                fields += body["schema"]["properties"]
            for field in fields:
                assert re.search(rf"\b{field}\b", section), (path, method, field)
    for name, schema in api["components"]["schemas"].items():
        section = shown.split(f"\n{name}¶")[1].split("¶")[0]
        for field in schema.get("properties", {}):
            assert re.search(rf"\b{field}\b", section), (name, field)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"$ref": "#/components/schemas/FaceAnswer"}, "[FaceAnswer](#faceanswer)"),
        ({"type": "string", "format": "binary"}, "photo"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number or null"),
        ({"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0}, "number (> 0, ≤ 1)"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, "list of integer (at least 1)"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of string"),
        ({"enum": ["a", 2]}, '`"a"` or `2`'),
        ({}, "any"),
    ],
)
def test_a_schema_is_a_type_in_words(
    root: Path, monkeypatch: pytest.MonkeyPatch, schema: dict[str, Any], expected: str
) -> None:
    monkeypatch.syspath_prepend(str(root / "docs" / "extensions"))
    from http_api import type_of

    assert type_of(schema) == expected


def test_links_out_of_the_site_become_paths(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(root / "docs" / "extensions"))
    from repository_links import without_repository_links

    text = (
        "[a](gpu.md#b) [c](../../infra/k8s/README.md) [d](../decisions/) [e](https://example.org/x) [f](#g)"
    )
    assert without_repository_links(text, root / "docs" / "how-to", root / "docs") == (
        "[a](gpu.md#b) c (`infra/k8s/README.md`) d (`docs/decisions`) [e](https://example.org/x) [f](#g)"
    )


def test_the_python_api_has_the_docstrings(site: SimpleNamespace) -> None:
    shown = page(site, "python-api")
    for word in ("class facenet.FaceModel", "compare", "class facenet.results.Verification", "threshold_at"):
        assert word in shown
    assert "Return for each pair whether its photos show the same person" in shown
    assert "photo: Photo" in shown


def test_notebooks_are_stored_without_results(site: SimpleNamespace) -> None:
    notebooks = sorted((site.docs / "notebooks").glob("*.ipynb"))
    assert [path.stem for path in notebooks] == ["read_an_evaluation", "use_a_model"]
    for path in notebooks:
        for cell in nbformat.read(path, as_version=4).cells:
            assert cell.get("outputs", []) == []
            assert cell.get("execution_count") is None


def test_using_a_model_gives_the_right_answers(site: SimpleNamespace) -> None:
    shown = page(site, "notebooks/use_a_model")
    assert re.search(r"same person, .* 1\.000 \(.*\ndifferent people, .* 0\.0\d+ \(", shown)
    assert sorted(re.findall(r"at \d+, \d+: (\w+), (?:most|prob)", shown)) == ["Ada", "Bob", "unknown"]
    accepted, rejected = (
        int(count) for count in re.findall(r"False\s+(\d+)\s+(\d+)\s+True\s", shown)[0][::-1]
    )
    assert 0.02 < accepted / (accepted + rejected) < 0.05  # "about three in a hundred"
    assert "PhotoError: no_face" in shown
    assert "no answer: " in shown


def test_reading_an_evaluation_shows_that_run(site: SimpleNamespace) -> None:
    shown = page(site, "notebooks/read_an_evaluation")
    evaluation = json.loads((site.run / "reports" / "evaluation.json").read_text())
    low, high = evaluation["accuracy_people_interval"]
    assert f"{evaluation['accuracy']:.3f}" in shown
    assert f"{low:.3f} to {high:.3f}" in shown
    assert 0.85 < evaluation["accuracy"] < 0.97  # errors to read about, as responsible-use.md says
    content = (site.target / "notebooks" / "read_an_evaluation.html").read_text()
    assert len(re.findall(r'<img alt="(?:Hist|Reli|Prob)[^"]+" src="[^"]+\.svg"', content)) == 3
