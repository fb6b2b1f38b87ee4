"""Compute embeddings of faces with a trained network."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from facenet import networks
from facenet.devices import PRECISIONS, autocast, resolve_device, resolve_precision
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.memory import keep_freed_memory
from facenet.model import ModelCard, load_model
from facenet.networks.folding import fold_batch_norm
from facenet.standardisation import standardise

# Kernels sum the last rows of an uneven matrix in a different order, depending on the number of threads: an
# embedding would then depend on its position in the chunk.
ROW_MULTIPLE = 8


class ChunkEmbedder(ABC):
    """Computes embeddings in chunks, whatever runs the network.

    The chunks have one fixed shape, for which the last one is padded: the kernels always see the same
    shapes, and an embedding depends neither on its position nor on the number and content of the other faces.

    Args:
        image_size: S, pixels.
        precision: fp32, bf16 or fp16, of the network's arithmetic; embeddings are always float32.
        batch_size: faces per chunk; 1, or rounded up to a multiple of 8.
        adaptive: do not pad. A few faces then take less time, but the last bits of an embedding depend on
            its position and on how many faces are embedded with it.
    """

    def __init__(self, *, image_size: int, precision: str, batch_size: int, adaptive: bool) -> None:
        self.image_size, self.precision, self.adaptive = image_size, precision, adaptive
        self.batch_size = 1 if batch_size == 1 else -(-batch_size // ROW_MULTIPLE) * ROW_MULTIPLE

    @abstractmethod
    def run(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the embeddings (n, E) of a contiguous chunk (n, S, S, 3); n is at most the batch size."""

    def embed(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the (N, E) float32 embeddings of (N, H, W, 3) uint8 RGB faces, H and W >= S.

        They have unit length unless the network's variant returns raw prelogits.

        Raises:
            ParamsInvalid: the faces are smaller than the network's input.
            WeightsInvalid: an embedding is not finite.
        """
        faces = center_crop(faces, self.image_size)
        starts = range(0, max(1, len(faces)), self.batch_size)
        return np.concatenate([self._embed_chunk(faces[start : start + self.batch_size]) for start in starts])

    def embed_flipped(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the embeddings of the crops mirrored left to right; shapes and errors as `embed`."""
        return self.embed(center_crop(faces, self.image_size)[:, :, ::-1])

    def embed_both(
        self, faces: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return `embed` and `embed_flipped` of the faces, computed together."""
        crops = center_crop(faces, self.image_size)
        found = self.embed(np.concatenate([crops, crops[:, :, ::-1]]))
        return found[: len(crops)], found[len(crops) :]

    def _embed_chunk(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        rows = max(1, len(faces)) if self.adaptive else self.batch_size
        padded = np.zeros((rows, *faces.shape[1:]), np.uint8)
        padded[: len(faces)] = faces
        embeddings = self.run(padded)[: len(faces)]
        finite = np.isfinite(embeddings).all(axis=1)
        if not finite.all():
            raise WeightsInvalid(
                f"{int((~finite).sum())} of {len(faces)} embeddings are not finite in {self.precision}. "
                "Set the precision to fp32; if that does not help, the weights are corrupt."
            )
        return np.asarray(embeddings, np.float32)


class Embedder(ChunkEmbedder):
    """Computes embeddings with torch.

    Args:
        network: maps (N, 3, S, S) standardised faces to (N, E) prelogits; it is copied.
        image_size: S, pixels.
        standardisation: the one used in training, see the model card.
        device: a torch device or its name; "auto" selects the best available.
        precision: fp32, bf16, fp16 or auto.
        batch_size: see ChunkEmbedder.
        adaptive: see ChunkEmbedder.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        image_size: int,
        device: str | torch.device = "cpu",
        precision: str = "fp32",
        batch_size: int = 64,
        standardisation: str = "fixed",
        adaptive: bool = False,
    ) -> None:
        self.device = resolve_device(device) if isinstance(device, str) else device
        super().__init__(
            image_size=image_size,
            precision=resolve_precision(precision, self.device),
            batch_size=batch_size,
            adaptive=adaptive,
        )
        self.standardisation = standardisation
        if self.device.type == "cpu":
            keep_freed_memory()
        self._network = fold_batch_norm(network).to(self.device)
        for layer in self._network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):  # once; autocast would cast for every chunk
                layer.to(PRECISIONS[self.precision])
        convert_conv2d_weight_memory_format(self._network, torch.channels_last)

    def run(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the embeddings (n, E) of a chunk (n, S, S, 3)."""
        with torch.inference_mode(), autocast(self.device, self.precision):
            images = standardise(torch.from_numpy(faces).to(self.device), self.standardisation)
            images = images.contiguous(memory_format=torch.channels_last)
            embeddings: npt.NDArray[np.float32] = networks.embed(self._network, images).float().cpu().numpy()
        return embeddings


def load_embedder(
    weights: Path,
    card: Path,
    *,
    device: str | torch.device,
    batch_size: int,
    precision: str | None = None,
    adaptive: bool = False,
) -> tuple[Embedder, ModelCard]:
    """Return an embedder for a stored model, configured by its card, and the card.

    precision: of the arithmetic; the card's by default. batch_size, adaptive: see Embedder.

    Raises:
        WeightsInvalid: as `load_model`.
    """
    network, model_card = load_model(weights, card, device)
    embedder = Embedder(
        network,
        image_size=model_card.network.image_size,
        device=device,
        precision=precision or model_card.precision,
        batch_size=batch_size,
        standardisation=model_card.standardisation,
        adaptive=adaptive,
    )
    return embedder, model_card


def center_crop(faces: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Return the centre crop (N, side, side, 3) of (N, H, W, 3) faces; odd remainders go right and bottom.

    Raises:
        ParamsInvalid: the faces are smaller than `side`.
    """
    height, width = faces.shape[1:3]
    if min(height, width) < side:
        raise ParamsInvalid(
            f"The faces are {width}x{height} px, but the network needs {side}x{side}. "
            f"Set align.image_size to {side} or more, or train with a smaller train.image_size."
        )
    top, left = (height - side) // 2, (width - side) // 2
    return faces[:, top : top + side, left : left + side]
