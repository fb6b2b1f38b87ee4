import re

from fastapi.testclient import TestClient

from service.pages.rendering import FOLDER
from service.pages.router import add_pages
from tests.service.api.apps import bare_app


def test_a_page_may_load_nothing_from_elsewhere_and_run_nothing_inline() -> None:
    app = bare_app()
    add_pages(app)
    answer = TestClient(app, base_url="http://localhost").get("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self';")


def test_templates_have_neither_inline_scripts_nor_styles_nor_foreign_addresses() -> None:
    for path in sorted((FOLDER / "templates").glob("*.html")):
        assert (
            re.search(r"<script(?! src)|\sstyle=|\son\w+=|https?://|\|\s*safe", path.read_text()) is None
        ), path
