"""Compute embeddings with an exported graph, through the interface of the embedder for torch."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facenet.embedder import ChunkEmbedder
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.model import ModelCard
from facenet.runtimes.exported_file import exported_embedder
from facenet.runtimes.loaded import Loaded
from facenet.runtimes.onnx_runtime import load_in_onnx_runtime
from facenet.runtimes.openvino_runtime import load_in_openvino

RUNTIMES = {"onnx": load_in_onnx_runtime, "openvino": load_in_openvino}


class GraphEmbedder(ChunkEmbedder):
    """Computes embeddings with a loaded graph, in float32 on the CPU; see ChunkEmbedder for the rest."""

    def __init__(
        self, loaded: Loaded, *, image_size: int, batch_size: int = 64, adaptive: bool = False
    ) -> None:
        super().__init__(image_size=image_size, precision="fp32", batch_size=batch_size, adaptive=adaptive)
        self._loaded = loaded

    def run(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the embeddings (n, E) of a chunk (n, S, S, 3)."""
        return self._loaded.run(faces)


def load_graph_embedder(
    folder: Path, runtime: str, *, batch_size: int, adaptive: bool = False
) -> tuple[GraphEmbedder, ModelCard]:
    """Return an embedder for the model in a folder, exported before or now, and the model's card.

    Args:
        folder: what `facenet.export.export` has written, or any other folder with a model.
        runtime: "onnx" or "openvino".
        batch_size: see ChunkEmbedder.
        adaptive: see ChunkEmbedder.

    Raises:
        ParamsInvalid: unknown runtime.
        PackageMissing: the runtime is not installed, or what the export needs.
        WeightsInvalid: a file is missing, or the files belong to different models.
    """
    if runtime not in RUNTIMES:
        raise ParamsInvalid(f"There is no runtime {runtime!r}. Use one of: torch, {', '.join(RUNTIMES)}.")
    path, card = exported_embedder(folder)
    loaded = RUNTIMES[runtime](path)
    digest = json.loads(loaded.metadata.get("weights_sha256", "null"))
    if digest != card.weights_sha256:
        raise WeightsInvalid(
            f"{path} was exported from weights {str(digest)[:12]}, but {folder / 'model.json'} names "
            f"{card.weights_sha256[:12]}. Export the model again."
        )
    size = card.network.image_size
    return GraphEmbedder(loaded, image_size=size, batch_size=batch_size, adaptive=adaptive), card
