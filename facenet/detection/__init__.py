"""Detect faces with MTCNN (Zhang et al., IEEE SPL 2016), select one per photo and crop it.

Images are RGB. Boxes are float32 x0 y0 x1 y1 in pixels of the upright source image, origin at the top left,
half open: a box that covers a whole 250 x 250 image is 0 0 250 250.
"""

from facenet.detection.aligner import AlignedFace, FaceAligner, align_faces
from facenet.detection.cascade import MTCNN, DetectorSettings
from facenet.detection.crop import DEFAULT_TEMPLATE, CropSettings, crop_face, fallback_box
from facenet.detection.faces import Faces
from facenet.detection.runtimes import runtime_version
from facenet.detection.selection import SELECTIONS, select_face
from facenet.detection.templates import TEMPLATES
from facenet.detection.weights import load_mtcnn_weights, read_mtcnn_weights, save_mtcnn_weights

__all__ = [
    "DEFAULT_TEMPLATE",
    "MTCNN",
    "SELECTIONS",
    "TEMPLATES",
    "AlignedFace",
    "CropSettings",
    "DetectorSettings",
    "FaceAligner",
    "Faces",
    "align_faces",
    "crop_face",
    "fallback_box",
    "load_mtcnn_weights",
    "read_mtcnn_weights",
    "runtime_version",
    "save_mtcnn_weights",
    "select_face",
]
