"""The page of this workspace, in reports/ and on the model's MLflow run."""

import logging
from collections.abc import Mapping
from typing import Any

from tasks import paths
from tasks.params import Params
from tasks.report.page import Subject, write_page
from tasks.tracking import open_run

logger = logging.getLogger(__name__)


def publish(params: Params, registration: Mapping[str, Any] | None) -> None:
    """Write reports/report.html and log it to the model's run if this server has one.

    registration: the receipt of the registered version; None for a model that missed a gate.

    Raises:
        WeightsInvalid: there is no model card.
        TrackingFailed: the server cannot be reached or rejects the request.
    """
    from facenet.model import ModelCard

    card = ModelCard.read(paths.MODEL_CARD)
    write_page(paths.REPORT_PAGE, Subject(params=params, card=card, registration=registration))
    run_id = registration["run_id"] if registration else card.run_id
    run = open_run(run_id) if run_id else None
    if run is None:
        logger.warning(
            "The tracking server has no run of this model; the report is only in %s", paths.REPORT_PAGE
        )
    else:
        run.log_file(paths.REPORT_PAGE, "reports")
