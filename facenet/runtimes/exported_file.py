"""The exported embedder of a model: that of an exported folder, or one that is exported once per user."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock

from facenet.digests import code_digest, value_digest
from facenet.errors import StorageFailed
from facenet.export import EMBEDDER
from facenet.export.description import embedder_metadata
from facenet.export.embedding import embedding_graph
from facenet.export.onnx_file import write_onnx
from facenet.export.packages import required
from facenet.model import CARD, WEIGHTS, ModelCard, checked_card, load_model
from facenet.user_cache import user_cache

CODE = ("facenet.export", "facenet.networks", "facenet.standardisation")
LIBRARIES = ("onnxscript", "torch")

_exporting = Lock()  # threads that need the same file wait for the first


def exported_embedder(folder: Path) -> tuple[Path, ModelCard]:
    """Return the ONNX file of the model in a folder, and the model's card.

    An exported folder has the file. For any other it is exported into the user's cache, under a name that
    changes with the weights, the card and the code, or into a temporary folder if the cache is not writable.

    Raises:
        PackageMissing: the file must be exported, and a package of the extra `export` is not installed.
        WeightsInvalid: a file is missing, or the weights do not belong to the card.
        ExportFailed: the exported graph does not compute what the network does.
    """
    if (folder / EMBEDDER).exists():
        return folder / EMBEDDER, ModelCard.read(folder / CARD)
    card = checked_card(folder / WEIGHTS, folder / CARD)
    with _exporting:
        try:
            path = user_cache() / "onnx" / f"{_key(card)}.onnx"
            if not path.exists():
                _export(folder, path)
        except StorageFailed:
            path = _temporary_folder() / f"{_key(card)}.onnx"
            if not path.exists():
                _export(folder, path)
    return path, card


def _export(folder: Path, path: Path) -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):  # before the weights are read
        required(package)
    network, card = load_model(folder / WEIGHTS, folder / CARD)
    size, kind = card.network.image_size, card.standardisation
    graph = embedding_graph(network, image_size=size, standardisation=kind)
    write_onnx(graph, path, embedder_metadata(card, None))


def _key(card: ModelCard) -> str:
    """Return 32 hexadecimal digits that change with anything in the file."""
    return value_digest([embedder_metadata(card, None), code_digest(CODE, LIBRARIES)])[:32]


@cache
def _temporary_folder() -> Path:
    root = Path(tempfile.mkdtemp(prefix="facenet-onnx-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root
