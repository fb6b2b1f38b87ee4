from fastapi.testclient import TestClient

from service.api.settings import Settings
from service.review.app import create_app
from tests.service.review.workspaces import Workspace, review_of


def test_pages_are_escaped_and_load_nothing_from_elsewhere(small: Workspace) -> None:
    name = "<script>alert(1)</script>"
    small.label = {digest: name if person == "Ann" else person for digest, person in small.label.items()}
    small.write_data()
    small.rows = []
    small.suspect("outlier", small.of("Ann")[0], "drop", 0.5, reason="<b>dark</b>", photo='"><img src=x>')
    small.write_audit()
    client = TestClient(create_app(review_of(small, who="<i>eve"), Settings()), base_url="http://localhost")
    answer = client.get("/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    for raw in (name, "<b>dark", "<img src=x>", "<i>eve"):
        assert raw not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
