"""What the dataset card states, in both of its forms: read once from the reports of the stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.digests import file_digest
from tasks import paths
from tasks.params.sources import Source
from tasks.report.audited import open_findings
from tasks.report.inputs import Findings
from tasks.report.known_problems import known_problems

TABLES = (paths.MANIFEST, paths.PAIRS, paths.ATTRIBUTES)
USES = (
    "Training and evaluating models that compare faces, within the terms of each source and with the consent "
    "of the people."
)
PERSONAL = (
    "Photos of faces of people, and their names or identifiers: biometric data, if they are used to "
    "recognise somebody. This card names nobody."
)


@dataclass(frozen=True)
class SourceFacts:
    """One source: its name in the manifest, its terms, and its files, kept photos and people."""

    name: str
    terms: str
    found: int
    kept: int
    identities: int


@dataclass(frozen=True)
class Dataset:
    """The facts of a dataset.

    found, kept, identities, train, evaluate: counts of files, photos and people. rejected: files and photos
    by stage and reason. decisions: rows and photos by action, where there are rows. problems: sentences.
    files: sha256 by path.
    """

    name: str
    sources: Sequence[SourceFacts]
    found: int
    kept: int
    identities: int
    train: Mapping[str, int]
    evaluate: Mapping[str, int]
    pairs: int
    rejected: Mapping[str, Mapping[str, int]]
    decisions: Mapping[str, tuple[int, int]]
    problems: Sequence[str]
    files: Mapping[str, str]


def describe_dataset(
    findings: Findings, model: str, sources: Sequence[Source], root: Path = Path()
) -> Dataset:
    """Return the facts about the photos of a workspace.

    model: the name of the model that is trained on them. root: of the workspace.
    """
    ingest, align = findings.metrics["ingest"], findings.metrics["align"]
    terms = {source.kind: source.terms for source in sources}
    audit = open_findings(root / paths.LABEL_AUDIT, root / paths.MANIFEST)
    effects = ingest.get("decisions", {"rows": {}, "photos": {}})
    return Dataset(
        name=f"{model}-photos",
        sources=[
            SourceFacts(
                name, terms[name.partition("-")[0]], counts["found"], counts["kept"], counts["identities"]
            )
            for name, counts in ingest["sources"].items()
        ],
        **{key: ingest[key] for key in ("found", "kept", "identities", "train", "evaluate")},
        pairs=findings.evaluation["pairs_total"],
        rejected={"ingest": ingest["rejected"], "align": align.get("rejected", {})},
        decisions={
            action: (rows, effects["photos"][action]) for action, rows in effects["rows"].items() if rows
        },
        problems=known_problems(findings, audit),
        files={str(path): file_digest(root / path) for path in TABLES if (root / path).exists()},
    )
