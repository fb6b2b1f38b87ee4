"""The model on disk: weights (safetensors) and card (model.json).

The card holds what is needed to rebuild the network, its alignment and standardisation, and its provenance.
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
# Files of a model's folder.
WEIGHTS = "facenet.safetensors"
CARD = "model.json"
DETECTOR = "mtcnn.safetensors"  # missing in a workspace, where the mtcnn package has the weights
CALIBRATION = "calibration.json"  # written by the evaluation; missing for a model that was not evaluated
MONITORING = "monitoring.json"  # written by the evaluation; missing in earlier versions


@dataclass(frozen=True, kw_only=True)
class NetworkCard:
    """The arguments of `facenet.networks.build`, and the input size.

    variant: None means the network's first variant, as in cards from before variants existed.
    image_size: side in pixels of the network's input, the centre crop of a stored face.
    """

    name: str
    embedding_size: int
    image_size: int
    dropout: float = 0.0
    variant: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The content of model.json, field by field.

    align: all alignment parameters of the training faces; serving uses the same.
    precision: fp32, bf16 or fp16, for computing embeddings.
    standardisation: of the pixels, see facenet.standardisation.
    selection: which epoch the weights are of, and why.
    data: sha256 digests of the aligned and triplets data, and of the initial weights (init), if any.
    machine: versions, processor and threads that computed the weights; empty in cards of older versions.
    origin: of initial weights that somebody published: name, author, licence, source; empty for others.
    mlflow: {"run_id": the training run, or None if the server did not answer; "outbox": the run's tag of that
        name, by which it is found}.
    """

    network: NetworkCard
    align: dict[str, Any]
    precision: str = "fp32"
    standardisation: str = "fixed"
    weights_sha256: str = ""
    commit: str | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    selection: dict[str, Any] = dataclasses.field(default_factory=dict)
    data: dict[str, str] = dataclasses.field(default_factory=dict)
    machine: dict[str, Any] = dataclasses.field(default_factory=dict)
    origin: dict[str, str] = dataclasses.field(default_factory=dict)
    mlflow: dict[str, str | None] = dataclasses.field(default_factory=dict)
    format: int = FORMAT

    @property
    def run_id(self) -> str | None:
        """The MLflow run id of the training, if any."""
        return self.mlflow.get("run_id")

    @property
    def outbox(self) -> str | None:
        """The name of the training's records for MLflow, if any."""
        return self.mlflow.get("outbox")

    def to_json(self) -> str:
        """Return the text of model.json, `format` first."""
        fields = dataclasses.asdict(self)
        return (
            json.dumps(
                {"format": fields.pop("format"), **fields}, indent=2, ensure_ascii=False, allow_nan=False
            )
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the card parsed from the text of a model.json.

        Raises:
            WeightsInvalid: not JSON, an unsupported format, or a missing or unknown field.
        """
        try:
            fields = json.loads(text)
            if fields.get("format") != FORMAT:
                raise WeightsInvalid(
                    f"model.json has the unsupported format {fields.get('format')!r}, expected {FORMAT}. "
                    "Train again with `dvc repro train`, or use the version that wrote it."
                )
            if fields.get("standardisation", "fixed") not in STANDARDISATIONS:
                raise WeightsInvalid(
                    f"model.json has the unknown standardisation {fields['standardisation']!r}, expected "
                    f"one of: {', '.join(STANDARDISATIONS)}. Use the version that wrote it."
                )
            return cls(**{**fields, "network": NetworkCard(**fields["network"])})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsInvalid(
                f"model.json is not a valid model card: {error}. Run `dvc repro train`."
            ) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the card stored in a file.

        Raises:
            WeightsInvalid: the file is missing or is not a valid model card.
        """
        if not path.exists():
            raise WeightsInvalid(f"There is no {path}. Run `dvc repro train` or `dvc pull`.")
        return cls.from_json(path.read_text())


def save_model(network: nn.Module, card: ModelCard, *, weights: Path, card_path: Path) -> ModelCard:
    """Write weights and card, each atomically, the card last; return the card with the weights' digest.

    The bytes depend only on the state of `network` and the card.
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
        WeightsInvalid: a file is missing, or the weights do not belong to the card or do not fit its network.
    """
    model_card = checked_card(weights, card)
    spec = model_card.network
    network = networks.build(
        spec.name, embedding_size=spec.embedding_size, dropout=spec.dropout, variant=spec.variant
    )
    networks.load_state(network, weights)
    return network.to(resolve_device(device) if isinstance(device, str) else device).eval(), model_card


def checked_card(weights: Path, card: Path) -> ModelCard:
    """Return the card of a model after checking that both files exist and belong together.

    Raises:
        WeightsInvalid: a file is missing, or the weights do not belong to the card.
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
