"""The dataset card as a page in Markdown: sources, counts, rejections, decisions, known problems, terms.

The sections follow Pushkarna et al., Data Cards (FAccT 2022), as far as a run can know them.
"""

from collections.abc import Iterable, Sequence

from tasks.report.dataset import PERSONAL, USES, Dataset

OTHERS = (
    "For programs, as Croissant: [dataset_card.json](dataset_card.json). The model: [model_card.md]"
    "(model_card.md)."
)


def dataset_card(dataset: Dataset) -> str:
    """Return the card; it names no person."""
    sections = {
        "Sources": _table(
            ("Source", "Files", "Kept photos", "People"),
            ((f"`{s.name}`", s.found, s.kept, s.identities) for s in dataset.sources),
        ),
        "Use": _table(
            ("Use", "Photos", "People"),
            (
                ("training", dataset.train["images"], dataset.train["identities"]),
                ("evaluation", dataset.evaluate["images"], dataset.evaluate["identities"]),
            ),
        ),
        "Rejected": rejections(dataset),
        "Decisions": decisions(dataset),
        "Known problems": "\n".join(f"- {problem}" for problem in dataset.problems),
        "Terms": "\n".join(f"- `{source.name}`: {source.terms}" for source in dataset.sources),
        "Personal data": PERSONAL,
        "Intended for": USES,
        "Files": _table(
            ("File", "sha256"), ((f"`{path}`", f"`{digest}`") for path, digest in dataset.files.items())
        ),
    }
    parts = [
        f"# {dataset.name}",
        summary(dataset),
        OTHERS,
        *(f"## {title}\n\n{text}" for title, text in sections.items()),
    ]
    return "\n\n".join(parts) + "\n"


def summary(dataset: Dataset) -> str:
    """Return the dataset in one sentence."""
    return (
        f"{dataset.kept:,} photos of the faces of {dataset.identities:,} people, from {dataset.found:,} "
        f"files; {dataset.pairs:,} pairs to evaluate on."
    )


def rejections(dataset: Dataset) -> str:
    """Return a table of what was rejected by stage and reason."""
    rows = [
        (stage, reason.replace("_", " "), count)
        for stage, reasons in dataset.rejected.items()
        for reason, count in reasons.items()
    ]
    return _table(("Stage", "Reason", "Files"), rows) if rows else "Nothing was rejected."


def decisions(dataset: Dataset) -> str:
    """Return a table of the decisions of reviewers."""
    rows = [(action, *counts) for action, counts in dataset.decisions.items()]
    if not rows:
        return "Nobody has decided about single photos or people."
    return _table(("Decision", "Decisions", "Photos"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cells)} |"

    body = (line(f"{cell:,}" if isinstance(cell, int) else cell for cell in row) for row in rows)
    return "\n".join([line(head), line("---" for _ in head), *body])
