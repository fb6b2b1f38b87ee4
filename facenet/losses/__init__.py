"""Losses on prelogits, by name; each keeps its own weights and returns metrics to watch."""

from facenet.losses.center import CenterLoss
from facenet.losses.output import Loss, LossOutput, LossSettings
from facenet.losses.registry import build

__all__ = ["CenterLoss", "Loss", "LossOutput", "LossSettings", "build"]
