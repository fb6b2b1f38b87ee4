"""Stage register: a model that passes its gates becomes a registered version with the alias `challenger`.

The files are the source of truth and MLflow is a view of them: a version is found by the digest of its model,
and run and version are rebuilt from the files if this server does not have them.
"""

import logging
import math
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facenet.digests import code_digest, value_digest
from facenet.errors import GateFailed, SourceInvalid
from tasks import paths
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.params.register import RegisterParams
from tasks.promotion.gates import check_gates, is_number
from tasks.report.record import publish
from tasks.reports import read_report, write_report
from tasks.tracking import Run, TrackingFailed, find_run, open_run, provenance, public_uri, start_run
from tasks.tracking.delivery import OUTBOX_TAG, deliver
from tasks.tracking.provenance import FOLDER, LOCK
from tasks.tracking.registry import (
    CHALLENGER,
    Version,
    aliases,
    create_version,
    find_version,
    log_version_metrics,
    set_alias,
    tag_version,
)

if TYPE_CHECKING:
    from facenet.matching import Matcher
    from facenet.model import ModelCard

logger = logging.getLogger(__name__)

# What two versions are compared by; every other metric of the evaluation is a metric of the logged model.
COMPARED = ("protocol", "pairs_sha256", "pairs_total", "pairs_used", "far_target", "decisions_sha256")
REPORTS = (  # logged to a rebuilt run, where they exist
    "train.json", "history.csv", "evaluation.json", "roc.csv", "roc.png", "folds.csv", "worst_errors.png",
    "correct_pairs.png", "operating_points.csv", "calibration.csv", "decisions.csv", "slices.csv",
    "identification.csv", "galleries.csv", "leaks.csv",
)  # fmt: skip


def main() -> None:
    """Register the model in models/, and write reports/registration.json and the report of the whole run."""
    params = load_params()
    try:
        receipt = run(
            params=params.register,
            weights=paths.WEIGHTS,
            card=paths.MODEL_CARD,
            calibration=paths.CALIBRATION,
            evaluation=paths.report("evaluate"),
            receipt=paths.report("register"),
            publish=lambda receipt: publish(params, receipt),
        )
    except GateFailed:
        publish(params, None)  # a model that fails its gates needs the report most
        with suppress(TrackingFailed):  # what its training could not send; it stays in the outbox
            deliver()
        raise
    names = ", ".join(receipt["aliases"])
    sys.stderr.write(f"Registered {receipt['model']} version {receipt['version']} ({names})\n")


def run(
    *,
    params: RegisterParams,
    weights: Path,
    card: Path,
    evaluation: Path,
    receipt: Path,
    calibration: Path | None = None,
    publish: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Register the model of `weights` and `card` under `params.model`, write the receipt and return it.

    Registering the same model again updates the tags of its version and makes it the challenger again. All
    that can fail comes before the alias moves; then `publish` is called with the receipt, which is written
    last. After a failure at any point, running again completes the registration.

    Raises:
        GateFailed: a metric of `evaluation` is missing or fails its gate; nothing was registered.
        SourceInvalid: `evaluation` does not exist.
        TrackingFailed: the server cannot be reached or rejected a request.
        WeightsInvalid: weights, card and calibration do not belong together.
    """
    from facenet.matching import Matcher
    from facenet.model import ModelCard, load_model
    from tasks.promotion.champion import compare_with_champion

    if not evaluation.exists():
        raise SourceInvalid(f"There is no {evaluation}. Run `dvc repro evaluate`.")
    metrics = read_report(evaluation)
    trained = ModelCard.read(card).params.get("train", {}).get("epochs") != 0
    gates = check_gates(metrics, params.gates, trained=trained)
    _, model_card = load_model(weights, card)
    # The served model computes exactly as the evaluated one.
    model_card = replace(model_card, precision=metrics.get("precision", model_card.precision))
    matcher = Matcher.read(calibration) if calibration else None
    if matcher is not None:
        matcher.check(model_card.weights_sha256)
        if shortage := matcher.shortage():
            logger.warning("The calibration supports no false accept rate: %s", shortage)
    deliver()  # what train and evaluate could not send
    digest = model_digest(model_card, matcher)
    tags = _tags(model_card, metrics, digest)
    version = find_version(params.model, "digest", digest)
    if version is None:
        origin = _run(model_card, digest, evaluation.parent)
        if (lock := Path(LOCK)).exists():
            origin.log_file(lock, FOLDER)  # names the data: `facenet reproduce` trains on it again
        version = _create(
            params.model, origin, metrics, tags, weights=weights, card=model_card, calibration=calibration
        )
    else:
        tag_version(params.model, version.number, tags)
        log_version_metrics(version, _numbers(metrics))
    champion = compare_with_champion(replace(version, tags=version.tags | tags))
    set_alias(params.model, CHALLENGER, version.number)
    stated = _receipt(version, digest, gates, champion)
    if publish is not None:
        publish(stated)
    write_report(receipt, stated)
    return stated


def model_digest(card: "ModelCard", matcher: "Matcher | None" = None) -> str:
    """Return the sha256 of all that determines the model's answers.

    These are weights, network, alignment, precision, code and matcher. The origin of the model (commit, run,
    training parameters) does not count.
    """
    from tasks.tracking.models import CODE

    meaning = {
        "weights": card.weights_sha256,
        "network": vars(card.network),
        "standardisation": card.standardisation,
        "align": card.align,
        "precision": card.precision,
        "code": code_digest(CODE),
    }
    if matcher is not None:
        meaning["matcher"] = asdict(matcher)
    return value_digest(meaning)


def _tags(card: "ModelCard", metrics: Mapping[str, Any], digest: str) -> dict[str, str]:
    """Return the tags of a version: those that code reads, which says what it may be compared with."""
    compared = {name: str(metrics[name]) for name in COMPARED if name in metrics}
    data = {f"data.{name}": value for name, value in card.data.items()}
    made = {name: value for name, value in provenance().items() if name in ("commit", "dirty")}
    return {**compared, **data, **made, **_commit(card), "digest": digest}


def _commit(card: "ModelCard") -> dict[str, str]:
    """Return the tags for the commit that trained the model, which may differ from the present one."""
    if not card.commit:
        return {}
    return {
        "commit": card.commit.removesuffix("-dirty"),
        "dirty": str(card.commit.endswith("-dirty")).lower(),
    }


def _run(card: "ModelCard", digest: str, reports: Path) -> Run:
    """Return the run that trained the model, or one rebuilt from the files if the server does not have it."""
    existing = open_run(card.run_id) if card.run_id else None
    existing = existing or (find_run(OUTBOX_TAG, card.outbox) if card.outbox else None)
    existing = existing or find_run("rebuilt_for", digest)
    if existing is not None:
        return existing
    run = start_run(name=f"rebuilt {card.network.name}", tags=_commit(card))
    try:
        run.log_params(card.params)
        for name, data_digest in card.data.items():
            run.log_dataset(name, data_digest, f"data/{name}")
        for name in REPORTS:
            if (reports / name).exists():
                run.log_file(reports / name, "reports")
        run.end("FINISHED")
    except BaseException:
        run.end("FAILED")
        raise
    run.set_tags({"rebuilt_for": digest})  # last: an incomplete run is never found again
    return run


def _create(
    model: str,
    run: Run,
    metrics: Mapping[str, Any],
    tags: Mapping[str, str],
    *,
    weights: Path,
    card: "ModelCard",
    calibration: Path | None,
) -> Version:
    from tasks.tracking.models import save_served_model

    def save(folder: Path, model_id: str) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / paths.MODEL_CARD.name
            file.write_text(card.to_json())
            save_served_model(
                folder,
                weights=weights,
                card=file,
                run_id=run.run_id,
                model_id=model_id,
                calibration=calibration,
            )

    return create_version(model, run, save=save, tags=tags, metrics=_numbers(metrics))


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if is_number(value) and math.isfinite(value)}


def _receipt(
    version: Version, digest: str, gates: dict[str, dict[str, float]], champion: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "model": version.model,
        "version": version.number,
        "aliases": [name for name, number in aliases(version.model).items() if number == version.number],
        "digest": digest,
        "run_id": version.run_id,
        "gates": gates,
        "champion": champion,
        "tracking_uri": public_uri(),
    }


if __name__ == "__main__":
    stage_main(main)
