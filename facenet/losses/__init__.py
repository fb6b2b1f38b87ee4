"""Losses on prelogits, by name; each keeps its own weights and tells figures to watch."""

from facenet.losses.output import Loss, LossOutput
from facenet.losses.registry import LOSSES, build
from facenet.losses.triplet import TripletLoss

__all__ = ["LOSSES", "Loss", "LossOutput", "TripletLoss", "build"]
