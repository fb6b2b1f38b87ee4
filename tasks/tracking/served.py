"""Loading of a registered model for use in Python, without a server."""

import re
import tempfile
from pathlib import Path

from facenet.errors import SourceInvalid
from facenet.face_model import FaceModel
from tasks.tracking.registry import Version, aliased_version, aliases, download_version, get_version

URI = re.compile(r"models:/(?P<model>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<number>\d+))")


def load_served(uri: str, *, device: str = "auto", batch_size: int = 32) -> FaceModel:
    """Return a registered model, from the store in MLFLOW_TRACKING_URI or the workspace's.

    Args:
        uri: models:/NAME@ALIAS or models:/NAME/VERSION.
        device: a torch device, or "auto" for the best available one.
        batch_size: faces embedded at once.

    Raises:
        SourceInvalid: the URI has another form, or the registry has no such version.
        TrackingFailed: the server cannot be reached or rejected a request.
        WeightsInvalid: the version lacks a file, or its files do not belong together.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = download_version(resolve_version(uri), Path(folder))
        return FaceModel.load(files, device=device, batch_size=batch_size)


def resolve_version(uri: str) -> Version:
    """Return the version that models:/NAME@ALIAS or models:/NAME/VERSION names.

    Raises:
        SourceInvalid: the URI has another form, or the registry has no such version.
        TrackingFailed: the server cannot be reached or rejected a request.
    """
    parts = URI.fullmatch(uri)
    if parts is None:
        raise SourceInvalid(f"{uri!r} is not a model: expected models:/NAME@ALIAS or models:/NAME/VERSION.")
    model, alias, number = parts["model"], parts["alias"], parts["number"]
    version = aliased_version(model, alias) if alias else get_version(model, int(number))
    if version is None:
        known = ", ".join(aliases(model)) or "none"
        raise SourceInvalid(
            f"The registry has no {uri}; the aliases of {model} are: {known}. Run `dvc repro register`."
        )
    return version
