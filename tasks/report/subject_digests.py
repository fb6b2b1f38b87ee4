"""The digests that a page states of its subject: whether it is the report of a certain model."""

import re
from dataclasses import dataclass

WEIGHTS = "weights, sha256"
REGISTERED = "registered model, sha256"


@dataclass(frozen=True)
class SubjectDigests:
    """What the table "Digests" of a page says; "" for a row that is missing or has no digest.

    weights: sha256 of the weights. registered: of the registered model, as `tasks.register.model_digest`.
    """

    weights: str
    registered: str


def read_digests(page: str) -> SubjectDigests:
    """Return the digests in a page that `tasks.report.page` has written, of this or an earlier version."""
    return SubjectDigests(_digest(page, WEIGHTS), _digest(page, REGISTERED))


def _digest(page: str, name: str) -> str:
    row = re.search(rf'<th scope="row">{name}</th><td[^>]*>([0-9a-f]{{64}})</td>', page)
    return row[1] if row else ""
