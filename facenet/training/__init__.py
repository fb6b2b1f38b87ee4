"""Train an embedding network: batches, schedule, optimiser, loop, checkpoints, validation.

The loop yields reports and knows nothing of files of the pipeline, trackers or progress bars.
"""

from facenet.training.augmentation import Augmentation
from facenet.training.checkpoint import Checkpoints
from facenet.training.data import FaceTable, Loader, TrainingSet, loader_settings
from facenet.training.loop import Trainer, TrainingInterrupted
from facenet.training.optimizers import OPTIMIZERS, OptimizerSettings, build_optimizer
from facenet.training.reports import EpochReport, StepReport
from facenet.training.sampling import ImagePlan, Plan, TripletPlan
from facenet.training.schedule import Schedule
from facenet.training.validation import PairValidation

__all__ = [
    "OPTIMIZERS",
    "Augmentation",
    "Checkpoints",
    "EpochReport",
    "FaceTable",
    "ImagePlan",
    "Loader",
    "OptimizerSettings",
    "PairValidation",
    "Plan",
    "Schedule",
    "StepReport",
    "Trainer",
    "TrainingInterrupted",
    "TrainingSet",
    "TripletPlan",
    "build_optimizer",
    "loader_settings",
]
