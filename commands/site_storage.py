"""Store a site calibration with the model that it belongs to, so that the model uses it from then on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from facenet.errors import ParamsInvalid

if TYPE_CHECKING:
    from facenet import FaceModel
    from facenet.site_calibration.calibration import SiteCalibration


def check_place(source: str | None) -> None:
    """Raise ParamsInvalid if the model that --model names has no place for a site calibration."""
    from facenet.model_source import PRETRAINED_ORIGIN, local_folder, version_of

    if version_of(source) is None and local_folder(source) is None:
        raise ParamsInvalid(
            f"--store: {PRETRAINED_ORIGIN} has no folder of its own. Write the site calibration to a file "
            "with --out, and name it with --site."
        )


def store(source: str | None, model: FaceModel, site: SiteCalibration) -> str:
    """Store a site calibration in the registry or in the folder of a model; return where, in words.

    source: of the model, as --model names it.

    Raises:
        ParamsInvalid: the source now means another model.
        SourceInvalid: the registry cannot be used.
        StorageFailed: the folder is not writable.
    """
    from facenet.model_source import local_folder, version_of
    from facenet.site_calibration.calibration import SITE_FILE

    version = version_of(source)
    if version is not None:
        if str(version) != model.origin:
            raise ParamsInvalid(f"--store: {source} is now {version}, not {model.origin}. Run it again.")
        from tasks.tracking.site_calibration import attach_site

        with tempfile.TemporaryDirectory(prefix="facenet-site-") as scratch:
            site.write(Path(scratch) / SITE_FILE)
            attach_site(version.model, version.number, Path(scratch) / SITE_FILE, str(site))
        return str(version)
    folder = local_folder(source)
    assert folder is not None, "check_place was called"
    site.write(folder / SITE_FILE)
    return str(folder / SITE_FILE)
