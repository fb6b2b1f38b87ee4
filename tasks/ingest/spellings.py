"""People whose names differ only in case, accents or punctuation, such as Ada Lovelace and ada_lovelace."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

from facenet.errors import SourceInvalid
from tasks.ingest.records import Record, folded
from tasks.params.ingest import SameName

EXAMPLES = 3  # in a message

logger = logging.getLogger(__name__)


def unite_spellings(records: Sequence[Record], policy: SameName) -> list[str]:
    """Apply ingest.same_name to all records, and return the spellings found, such as "Ada = ADA", sorted.

    merge: all photos get the spelling with most kept photos, the first one of equals. warn: they stay
    different people in training; roles and generated pairs treat them as one.

    Raises:
        SourceInvalid: the policy is `refuse`, and a name has several spellings.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if record.identity is not None and record.kept:
            counts[folded(record.identity)][record.identity] += 1
    several = {key: [name for name, _ in c.most_common()] for key, c in counts.items() if len(c) > 1}
    found = sorted(" = ".join(names) for names in several.values())
    if not found:
        return []
    message = f"{len(found)} people have several spellings, such as {'; '.join(found[:EXAMPLES])}"
    if policy == "refuse":
        raise SourceInvalid(f"{message}. Rename their folders, or set ingest.same_name to merge or warn.")
    if policy == "merge":
        for record in records:
            if record.identity is not None and folded(record.identity) in several:
                record.identity = several[folded(record.identity)][0]
        logger.warning("%s: merged, as ingest.same_name says.", message)
    else:
        logger.warning(
            "%s: each spelling trains as another person. If they are one, set ingest.same_name to merge.",
            message,
        )
    return found
