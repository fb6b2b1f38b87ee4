"""Where the evaluation's report of a model is: among the artifacts of its run, or next to its folder."""

from pathlib import Path

from facenet.errors import SourceInvalid
from facenet.face_model import FaceModel
from facenet.registry import RegisteredVersion, ReportTooLarge, read_reports
from service.api.problems import Problem
from tasks import paths
from tasks.report.subject_digests import read_digests

MAX_BYTES = 8 * 2**20  # reports have less than 1 MB
REGISTER = "Run `dvc repro register` in the workspace of the model, which writes it."


def find_report(model: FaceModel) -> str:
    """Return the HTML of the report of exactly this model.

    Raises:
        Problem: 404 if it has none, 502 if the registry cannot be used, or the page is not usable.
    """
    if isinstance(model.place, RegisteredVersion):
        return _registered(model, model.place)
    if model.place is None:
        raise _none(
            "The pretrained model comes without a report. Run `make recipe NAME=pretrained`, which "
            "evaluates and registers it with one."
        )
    return _local(model, model.place.parent / paths.REPORT_PAGE)


def _registered(model: FaceModel, version: RegisteredVersion) -> str:
    try:
        found = read_reports(version, max_bytes=MAX_BYTES)
    except ReportTooLarge as error:
        raise _unusable(str(error)) from error
    except SourceInvalid as error:
        raise Problem(502, "registry_unavailable", str(error)) from error
    texts = [_text(page, f"The report of the run {found.run_id}") for page in found.pages]
    for text in texts:
        stated = read_digests(text)
        if stated.weights == model.card.weights_sha256 and found.digest in ("", stated.registered):
            return text
    if texts:
        raise _none(
            f"The report of the run {found.run_id} describes another model than {version}. {REGISTER}"
        )
    raise _none(f"The run of {version} has no report among its artifacts. {REGISTER}")


def _local(model: FaceModel, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _none(f"The model's folder has no report next to it: there is no {path}. {REGISTER}") from None
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_BYTES:
        raise _unusable(f"{path} has more than {MAX_BYTES:,} bytes.")
    text = _text(content, str(path))
    stated, weights = read_digests(text).weights, model.card.weights_sha256
    if stated != weights:
        described = f"the weights {stated[:12]}" if stated else "no weights"
        raise _none(f"{path} describes {described}; the model in use has {weights[:12]}. {REGISTER}")
    return text


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _unusable(f"{name} is not UTF-8 text.") from None


def _none(message: str) -> Problem:
    return Problem(404, "no_report", message)


def _unusable(message: str) -> Problem:
    return Problem(502, "report_unusable", message)
