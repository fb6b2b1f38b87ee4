"""The pages of a model on a real server, and what every page of them must satisfy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.models import Source
from service.api.server import listen
from service.api.settings import Settings
from service.api.tokens import TokenStore
from service.pages.router import add_pages
from tests.axe import violations
from tests.browser import Tab
from tests.waiting import wait_for


@contextmanager
def served(model: FaceModel, place: Path) -> Iterator[str]:
    """Serve a model and its pages, and yield the address."""
    app = create_app(Settings(), TokenStore(), Source(lambda: model), place)
    add_pages(app)
    with listen(Settings(port=0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: server.started and app.state.context.models.missing() is None, 60)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def accepted(tab: Tab, address: str) -> None:
    """Check that the page complained about nothing, and requested nothing from elsewhere."""
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith((address, "data:", "about:"))] == []
    assert violations(tab) == []
