"""The model card of a registered version in Markdown: its description in MLflow.

The sections follow Mitchell et al., Model Cards for Model Reporting (FAT* 2019).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from facenet.model import ModelCard
from facenet.registry import report_folder
from tasks import paths
from tasks.params.sources import Source
from tasks.report.inputs import Findings
from tasks.tracking.forgotten_mark import with_note

NOT_FOR = """- Identifying people who have not agreed to it, or watching them.
- Decisions with consequences for a person without a human who checks them.
- Guessing age, gender, origin or feelings: the embedding is trained to tell people apart, nothing else.
- Groups, cameras or lighting that the evaluation photos do not have: its errors there are unknown."""


def version_card(
    card: ModelCard,
    findings: Findings,
    sources: Sequence[Source],
    registration: Mapping[str, Any],
    *,
    forgotten: str = "",
) -> str:
    """Return the model card of a registered version.

    registration: the receipt of stage register. forgotten: the version's tag of that kind, if it has one.
    """
    name = f"{registration['model']} version {registration['version']}"
    commit = card.commit or "unknown"
    sections = {
        "Trained on": _training(card, findings),
        **({"Origin of the weights": _origin(card)} if card.origin else {}),
        "Result": _result(findings.evaluation),
        "Calibration": _calibration(findings.evaluation),
        "Data": _data(registration),
        "Terms of the data": "\n".join(f"- `{source.kind}`: {source.terms}" for source in sources),
        "Not for": NOT_FOR,
        "Use": f"```python\nfrom facenet import FaceModel\n"
        f'model = FaceModel.load("models:/{registration["model"]}/{registration["version"]}")\n```\n\n'
        f"Commit `{commit}`, weights sha256 `{card.weights_sha256}`, digest `{registration['digest']}`.",
    }
    parts = [f"# {name}", _summary(card), *(f"## {title}\n\n{text}" for title, text in sections.items())]
    return with_note("\n\n".join(parts), forgotten)


def _summary(card: ModelCard) -> str:
    network, train = card.network, card.params.get("train", {})
    return (
        f"{network.name} ({network.variant or 'first variant'}), {network.embedding_size} dimensions, "
        f"faces of {network.image_size} pixels aligned by `{card.align.get('method')}`, "
        f"{train.get('loss', 'unknown')} loss, computed in {card.precision}."
    )


def _training(card: ModelCard, findings: Findings) -> str:
    train = findings.metrics["train"]
    found = ", ".join(
        f"`{name}` ({counts['kept']:,} photos of {counts['identities']:,} people)"
        for name, counts in findings.metrics["ingest"].get("sources", {}).items()
    )
    if not train.get("epochs"):
        return f"Weights used as given, not trained here. Photos of this workspace: {found or 'unknown'}."
    epochs = f"{train['epochs']} epoch{'' if train['epochs'] == 1 else 's'}"
    reason = card.selection.get("reason", "the last epoch")
    return (
        f"{train['images']:,} photos of {train['identities']:,} people, {epochs}, "
        f"{train['steps']:,} steps. The model is of {reason}. Sources, with the photos for evaluation: "
        f"{found or 'unknown'}."
    )


def _data(registration: Mapping[str, Any]) -> str:
    """Return where the dataset card is: next to this card, and on the run."""
    names = (paths.DATASET_CARD.name, paths.CROISSANT.name)
    text = f"[Dataset card]({names[0]}), and for programs as [Croissant]({names[1]})"
    if not (run_id := registration.get("run_id")):
        return f"{text}."
    addresses = " and ".join(f"`{artifact(run_id, registration['version'], name)}`" for name in names)
    return f"{text}; in MLflow {addresses}."


def artifact(run_id: str, version: int, name: str) -> str:
    """Return the address of a card of a registered version, on the run that trained it."""
    return f"runs:/{run_id}/{report_folder(version)}/{name}"


def _origin(card: ModelCard) -> str:
    """Return who published the weights, under which terms, and what they were trained on."""
    changed = (
        "" if card.params.get("train", {}).get("epochs") == 0 else "\n\nThe training here started from them."
    )
    return "\n".join(f"- {name}: {value}" for name, value in card.origin.items()) + changed


def _result(evaluation: Mapping[str, Any]) -> str:
    low, high = evaluation["accuracy_interval"]
    first = (
        f"{evaluation['protocol']}: accuracy **{evaluation['accuracy']:.4f}**, 95 % interval {low:.4f} to "
        f"{high:.4f}, on {evaluation['pairs_used']:,} of {evaluation['pairs_total']:,} pairs."
    )
    second = (
        f"VAL {evaluation['val']:.4f} at FAR {evaluation['far_target']:g}, AUC {evaluation['auc']:.4f}, "
        f"EER {evaluation['eer']:.4f}."
    )
    lines = [first, second]
    if overlap := evaluation.get("identity_overlap"):
        lines.append(f"**{overlap} PEOPLE OF THE EVALUATION ARE ALSO IN THE TRAINING DATA.**")
    return "\n\n".join(lines)


def _calibration(evaluation: Mapping[str, Any]) -> str:
    rates = evaluation.get("val_at_far", {})
    supported = [rate for rate, point in rates.items() if point["supported"]]
    lowest = min(supported, key=float, default=None)
    error = evaluation.get("calibration_error")
    said = "" if error is None else f" Its expected error is {error:.3f}."
    limit = (
        f"False accept rates down to {lowest} are supported by the number of people."
        if lowest
        else "The evaluation has too few people to support any false accept rate."
    )
    return f"Distances become probabilities by a sigmoid fitted on the evaluation pairs.{said} {limit}"
