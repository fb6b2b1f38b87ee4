"""The model on disk, and how faces become embeddings.

A model is two files: the weights (safetensors) and the card (model.json), which rebuilds the network and
names the alignment and standardisation it was trained with and where it came from.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from facenet import networks
from facenet.atomic import atomic_path, write_text
from facenet.devices import autocast, resolve_device, resolve_precision
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.standardisation import STANDARDISATIONS, standardise

FORMAT = 1
HASH_BYTES = 1 << 20
# Kernels add up the last rows of an uneven matrix in another order, by the number of threads: an embedding
# would then depend on its place in the chunk.
ROW_MULTIPLE = 8


@dataclass(frozen=True, kw_only=True)
class NetworkCard:
    """What rebuilds the network: the arguments of `facenet.networks.build`, and what it reads.

    variant: None is the network's first, as in cards that were written before there were others.
    image_size: side in pixels of the square it reads, cut out of the middle of a stored face.
    """

    name: str
    embedding_size: int
    image_size: int
    dropout: float = 0.0
    variant: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The content of model.json, field by field.

    align: every alignment parameter the training faces were made with; serving uses the same.
    precision: fp32, bf16 or fp16, in which embeddings are to be computed.
    standardisation: how pixels become the input of the network, see facenet.standardisation.
    data: sha256 digests of the raw, aligned, triplets and pairs data.
    mlflow: {"run_id": the run that recorded the training, or None}.
    """

    network: NetworkCard
    align: dict[str, Any]
    precision: str = "fp32"
    standardisation: str = "fixed"
    weights_sha256: str = ""
    commit: str | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    data: dict[str, str] = dataclasses.field(default_factory=dict)
    mlflow: dict[str, str | None] = dataclasses.field(default_factory=dict)
    format: int = FORMAT

    @property
    def run_id(self) -> str | None:
        """The MLflow run of the training, if there was one."""
        return self.mlflow.get("run_id")

    def to_json(self) -> str:
        """Return the text of model.json, `format` first."""
        fields = dataclasses.asdict(self)
        return json.dumps({"format": fields.pop("format"), **fields}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the card in the text of a model.json.

        Raises:
            WeightsInvalid: it is not JSON, of another format, or a field is missing or unknown.
        """
        try:
            fields = json.loads(text)
            if fields.get("format") != FORMAT:
                raise WeightsInvalid(
                    f"model.json has format {fields.get('format')!r}, this version reads {FORMAT}. "
                    "Train again with `dvc repro train`, or take the version that wrote it."
                )
            if fields.get("standardisation", "fixed") not in STANDARDISATIONS:
                raise WeightsInvalid(
                    f"model.json names the standardisation {fields['standardisation']!r}, which this version "
                    f"does not know: it has {', '.join(STANDARDISATIONS)}. Take the version that wrote it."
                )
            return cls(**{**fields, "network": NetworkCard(**fields["network"])})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsInvalid(f"model.json is no model card: {error}. Run `dvc repro train`.") from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the card in a file.

        Raises:
            WeightsInvalid: the file is missing or is not a model card.
        """
        if not path.exists():
            raise WeightsInvalid(f"There is no {path}. Run `dvc repro train` or `dvc pull`.")
        return cls.from_json(path.read_text())


def save_model(network: nn.Module, card: ModelCard, *, weights: Path, card_path: Path) -> ModelCard:
    """Write weights and card, each atomically, the card last; return it with the digest of the weights.

    The bytes depend on the state of `network` and the card alone.
    """
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with atomic_path(weights) as temporary:
        save_file(state, temporary)
    card = dataclasses.replace(card, weights_sha256=_sha256(weights))
    write_text(card_path, card.to_json())
    return card


def load_model(weights: Path, card: Path, device: str | torch.device = "cpu") -> tuple[nn.Module, ModelCard]:
    """Return the network in evaluation mode on `device`, and its card.

    Raises:
        WeightsInvalid: a file is missing, or the weights are not those of the card or do not fit its network.
    """
    model_card = checked_card(weights, card)
    spec = model_card.network
    network = networks.build(
        spec.name, embedding_size=spec.embedding_size, dropout=spec.dropout, variant=spec.variant
    )
    networks.load_state(network, weights)
    return network.to(resolve_device(device) if isinstance(device, str) else device).eval(), model_card


def checked_card(weights: Path, card: Path) -> ModelCard:
    """Return the card of a model whose two files are there and belong together.

    Raises:
        WeightsInvalid: a file is missing, or the weights are not those of the card.
    """
    model_card = ModelCard.read(card)
    if not weights.exists():
        raise WeightsInvalid(f"There is no {weights}. Run `dvc repro train` or `dvc pull`.")
    digest = _sha256(weights)
    if digest != model_card.weights_sha256:
        raise WeightsInvalid(
            f"{weights} has sha256 {digest}, but {card} names {model_card.weights_sha256 or 'none'}: "
            "the two belong to different models. Run `dvc repro train` or `dvc checkout`."
        )
    return model_card


class Embedder:
    """Turns faces into embeddings, in chunks of one fixed shape.

    The last chunk is padded, so an embedding does not depend on its place, on which faces share its batch nor
    on how many there are: the kernels see the same shapes every time.

    Args:
        network: maps (N, 3, S, S) standardised faces to (N, E) prelogits; set to evaluation mode here.
        image_size: S, pixels.
        standardisation: the one that the network was trained with, as its card says.
        device: a torch device or the name of one; "auto" takes the best there is.
        precision: fp32, bf16, fp16 or auto, of the network's arithmetic; embeddings are float32 in any case.
        batch_size: faces in a chunk; 1, or rounded up to a multiple of 8.
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
    ) -> None:
        self.device = resolve_device(device) if isinstance(device, str) else device
        self.precision = resolve_precision(precision, self.device)
        self.image_size, self.standardisation = image_size, standardisation
        self.batch_size = 1 if batch_size == 1 else -(-batch_size // ROW_MULTIPLE) * ROW_MULTIPLE
        self._network = network.to(self.device).eval()
        convert_conv2d_weight_memory_format(self._network, torch.channels_last)

    def embed(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the (N, E) float32 embeddings of (N, H, W, 3) uint8 RGB faces, H and W >= S.

        They are of unit length, unless the variant of the network leaves them as they are.

        Raises:
            ParamsInvalid: the faces are smaller than the network's input.
            WeightsInvalid: an embedding is not finite.
        """
        faces = center_crop(faces, self.image_size)
        starts = range(0, max(1, len(faces)), self.batch_size)
        return np.concatenate([self._embed_chunk(faces[s : s + self.batch_size]) for s in starts])

    def embed_flipped(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the embeddings of the crops mirrored left to right; shapes and errors as `embed`."""
        return self.embed(center_crop(faces, self.image_size)[:, :, ::-1])

    def _embed_chunk(self, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        padded = np.zeros((self.batch_size, *faces.shape[1:]), np.uint8)
        padded[: len(faces)] = faces
        with torch.inference_mode(), autocast(self.device, self.precision):
            images = standardise(torch.from_numpy(padded).to(self.device), self.standardisation)
            images = images.contiguous(memory_format=torch.channels_last)
            embeddings = networks.embed(self._network, images)[: len(faces)].float().cpu().numpy()
        finite = np.isfinite(embeddings).all(axis=1)
        if not finite.all():
            raise WeightsInvalid(
                f"{int((~finite).sum())} of {len(faces)} embeddings are not finite in {self.precision}. "
                "Set the precision to fp32; if that does not help, the weights are ruined."
            )
        return np.asarray(embeddings, np.float32)


def center_crop(faces: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Return the middle (N, side, side, 3) of (N, H, W, 3) faces; an odd remainder goes right and down.

    Raises:
        ParamsInvalid: the faces are smaller than `side`.
    """
    height, width = faces.shape[1:3]
    if min(height, width) < side:
        raise ParamsInvalid(
            f"The faces are {width}x{height} pixels and the network reads {side}x{side}. "
            f"Set align.image_size to {side} or more, or train with a smaller train.image_size."
        )
    top, left = (height - side) // 2, (width - side) // 2
    return faces[:, top : top + side, left : left + side]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BYTES):
            digest.update(block)
    return digest.hexdigest()
