"""The model that is meant to answer in production, as far as monitoring needs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from facenet.monitoring.reference import Reference


@dataclass(frozen=True)
class WatchedModel:
    """digest: that rows of the log must have. origin: in words. reference: None for older models."""

    digest: str
    origin: str
    reference: Reference | None

    @classmethod
    def load(cls, source: str | Path | None = None) -> Self:
        """Return the model that FaceModel.load would load, without its network.

        Raises:
            SourceInvalid: the registry has no such version, or cannot be used.
            WeightsInvalid: a file is missing or invalid.
        """
        # Imported late: they import torch, which takes seconds.
        from facenet.matching import read_matcher
        from facenet.model import CALIBRATION, CARD, MONITORING, ModelCard
        from facenet.model_folder import model_digest
        from facenet.model_source import model_folder
        from facenet.monitoring.reference import read_reference

        with model_folder(source) as (folder, origin):
            card = ModelCard.read(folder / CARD)
            matcher = read_matcher(folder / CALIBRATION, card.weights_sha256)
            reference = read_reference(folder / MONITORING, card.weights_sha256)
        return cls(model_digest(card, matcher), origin.words, reference)
