"""The files of the stage."""

from dataclasses import dataclass
from pathlib import Path

from tasks import paths


@dataclass(frozen=True, kw_only=True)
class EvaluatePaths:
    """Where the stage reads and writes."""

    aligned: Path = paths.ALIGNED
    pairs: Path = paths.PAIRS
    attributes: Path = paths.ATTRIBUTES
    identities: Path = paths.IDENTITIES
    weights: Path = paths.WEIGHTS
    card: Path = paths.MODEL_CARD
    calibration: Path = paths.CALIBRATION
    monitoring: Path = paths.MONITORING
    embeddings: Path = paths.EMBEDDINGS
    reports: Path = paths.REPORTS
    cache: Path = paths.DATA / "cache"
