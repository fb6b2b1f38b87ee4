"""A registered version for tests."""

from pathlib import Path

from facenet.model import CALIBRATION, CARD, WEIGHTS
from tasks import register
from tasks.params.register import PromotionParams, RegisterParams


def register_faces(model: Path, store: Path) -> None:
    """Register the model in a folder as the challenger of `faces`; its calibration is in `store`."""
    (store / "evaluation.json").write_text('{"accuracy": 0.9}')
    promotion = PromotionParams(metric="accuracy", min_gain=0.0)
    register.run(
        params=RegisterParams(model="faces", gates={}, promotion=promotion),
        weights=model / WEIGHTS,
        card=model / CARD,
        calibration=store / CALIBRATION,
        evaluation=store / "evaluation.json",
        receipt=store / "registration.json",
    )
