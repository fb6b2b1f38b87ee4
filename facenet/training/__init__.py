"""Train an embedding network: batches, schedule, optimiser, loop, checkpoints, validation.

The loop yields reports; files of the pipeline, trackers and progress bars are up to its caller.
"""

from facenet.training.augmentation import Augmentation
from facenet.training.checkpoint import Checkpoints
from facenet.training.classification import ClassValidation
from facenet.training.colour import ColourJitter
from facenet.training.data import FaceTable, Loader, TrainingSet, loader_settings
from facenet.training.division import Division
from facenet.training.embedding import TableEmbedder
from facenet.training.evaluation import PairEvaluation
from facenet.training.freezing import freeze_to
from facenet.training.loop import Trainer, TrainingInterrupted
from facenet.training.mining import Mining
from facenet.training.optimizers import OPTIMIZERS, OptimizerSettings, build_optimizer
from facenet.training.processes import Processes, join
from facenet.training.reports import EpochReport, StepReport
from facenet.training.sampling import FixedLengthPlan, ImagePlan, Plan
from facenet.training.schedule import Schedule
from facenet.training.schedule_file import read_schedule
from facenet.training.update import UpdateOptions
from facenet.training.validation import PairValidation

__all__ = [
    "OPTIMIZERS",
    "Augmentation",
    "Checkpoints",
    "ClassValidation",
    "ColourJitter",
    "Division",
    "EpochReport",
    "FaceTable",
    "FixedLengthPlan",
    "ImagePlan",
    "Loader",
    "Mining",
    "OptimizerSettings",
    "PairEvaluation",
    "PairValidation",
    "Plan",
    "Processes",
    "Schedule",
    "StepReport",
    "TableEmbedder",
    "Trainer",
    "TrainingInterrupted",
    "TrainingSet",
    "UpdateOptions",
    "build_optimizer",
    "freeze_to",
    "join",
    "loader_settings",
    "read_schedule",
]
