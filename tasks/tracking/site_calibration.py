"""A site calibration as a file of a registered version, which the version then uses wherever it is loaded."""

import shutil
import tempfile
from pathlib import Path

from tasks.tracking.registry import FILES, tag_version
from tasks.tracking.store import client, mlflow_errors

TAG = "site_calibration"


def attach_site(model: str, number: int, path: Path, description: str) -> None:
    """Add a site calibration to the files of a version, replacing an earlier one, and tag the version.

    model, number: of the version. path: of the file. description: the value of the tag.

    Raises:
        SourceInvalid: the registry cannot be used.
    """
    with mlflow_errors(), tempfile.TemporaryDirectory(prefix="facenet-site-") as scratch:
        mlflow = client()
        source = mlflow.get_model_version(model, str(number)).source or ""
        (Path(scratch) / FILES).mkdir()
        shutil.copyfile(path, Path(scratch) / FILES / path.name)
        mlflow.log_model_artifacts(source.removeprefix("models:/"), scratch)
    tag_version(model, number, {TAG: description})
