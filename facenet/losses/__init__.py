"""Losses on prelogits, by name; each keeps its own weights and tells metrics to watch."""

from facenet.losses.center import CenterLoss
from facenet.losses.contrastive import ContrastiveLoss
from facenet.losses.output import Loss, LossOutput
from facenet.losses.registry import LOSSES, build
from facenet.losses.triplet import TripletLoss

__all__ = ["LOSSES", "CenterLoss", "ContrastiveLoss", "Loss", "LossOutput", "TripletLoss", "build"]
