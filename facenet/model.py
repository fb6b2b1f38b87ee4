"""The model on disk.

A model is two files: the weights (safetensors) and the card (model.json), which rebuilds the network and
names the alignment and standardisation it was trained with and where it came from.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import save_file
from torch import nn

from facenet import networks
from facenet.atomic import atomic_path, write_text
from facenet.devices import resolve_device
from facenet.digests import file_digest
from facenet.errors import WeightsInvalid
from facenet.standardisation import STANDARDISATIONS

FORMAT = 1


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
    card = dataclasses.replace(card, weights_sha256=file_digest(weights))
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
    digest = file_digest(weights)
    if digest != model_card.weights_sha256:
        raise WeightsInvalid(
            f"{weights} has sha256 {digest}, but {card} names {model_card.weights_sha256 or 'none'}: "
            "the two belong to different models. Run `dvc repro train` or `dvc checkout`."
        )
    return model_card
