"""Templates, and galleries in new files or on a real PostgreSQL."""

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from facenet.results import Quality
from faults.cluster import Cluster, cluster
from service.gallery import Enrolment, Gallery
from tests.programs import program

SIZE, MODEL = 16, "a" * 64
Opener = Callable[..., Gallery]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server that drops its log, as docs/how-to/gallery.md says."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    program(("initdb",), package="postgresql", folders=folders)
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a gallery that does not exist yet, in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "new folder" / "gallery.db")
    url: str = request.getfixturevalue("postgresql").url
    engine = create_engine(url.replace("postgresql", "postgresql+psycopg2", 1))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens a gallery of a model; it is closed at the end."""
    galleries = []

    def start(url: str | Path, model: str = MODEL, size: int = SIZE) -> Gallery:
        galleries.append(Gallery.open(url, model_digest=model, template_size=size))
        return galleries[-1]

    yield start
    for gallery in galleries:
        gallery.close()


@pytest.fixture
def gallery(opened: Opener, tmp_path: Path) -> Gallery:
    """An empty gallery in a file."""
    return opened(tmp_path / "gallery.db")


@pytest.fixture
def photo(request: pytest.FixtureRequest) -> Callable[..., Enrolment]:
    """Returns an enrolment with a random template of length 1, and its photo's bytes on request.

    Each test has templates of its own: a test that looks for removed ones in all files of the server would
    find those that other tests have left there.
    """
    random = np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))

    def make(size: int = SIZE, *, keep: bool = False, content: bytes | None = None) -> Enrolment:
        template = random.normal(size=size).astype(np.float32)
        template /= np.linalg.norm(template)
        return Enrolment.of(content or os.urandom(2000), template, Quality(90, 120.5, 99), keep=keep)

    return make
