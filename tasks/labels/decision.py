"""One decision about a photo or an identity: a row of labels/decisions.csv."""

import re
import unicodedata
from dataclasses import dataclass, field, fields
from datetime import datetime

KEEP, DROP, MOVE, MERGE, SPLIT = "keep", "drop", "move", "merge", "split"
ACTIONS = (KEEP, DROP, MOVE, MERGE, SPLIT)
TARGETED = (MOVE, MERGE, SPLIT)  # actions that name another identity
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Decision:
    """One row.

    digest: sha256 of the photo file, as in the manifest; "" for a merge, and for a keep with a target, which
    says that two identities are two people. identity: of the photo in the manifest, or the identity to merge.
    action: one of ACTIONS. target: the other identity for move (an existing one), split (a new one), merge
    and keep of two identities, else "". who, why: free text. when: ISO 8601, UTC, seconds. line: of the file
    it was read from, 0 if it was not; it does not count in comparisons.
    """

    digest: str
    identity: str
    action: str
    target: str = ""
    who: str = ""
    when: str = ""
    why: str = ""
    line: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Normalise the names as the manifest does."""
        for name in ("identity", "target"):
            object.__setattr__(self, name, unicodedata.normalize("NFC", getattr(self, name)))

    @property
    def subject(self) -> tuple[str, str]:
        """What is decided: digest and identity."""
        return self.digest, self.identity

    @property
    def outcome(self) -> tuple[str, str]:
        """What the decision is, without who, when and why: action and target."""
        return self.action, self.target

    @property
    def apart(self) -> bool:
        """Whether it says that two identities, `identity` and `target`, are two people."""
        return self.action == KEEP and not self.digest and bool(self.target)


HEADER = tuple(field.name for field in fields(Decision) if field.name != "line")


def problem_of(decision: Decision) -> str | None:
    """Return what is wrong with a decision by itself, with what to do, or None."""
    for name in HEADER:
        value = getattr(decision, name)
        if any(unicodedata.category(letter) == "Cc" for letter in value):
            return f"{name} {value!r} contains a line break or another control character. Remove it"
    if decision.action not in ACTIONS:
        return f"action {decision.action!r} is not one of {', '.join(ACTIONS)}. Correct it"
    if not decision.identity.strip():
        return "identity is empty. Write the identity of the photo as in the manifest"
    return _wrong_digest(decision) or _wrong_target(decision) or _wrong_time(decision)


def _wrong_digest(decision: Decision) -> str | None:
    if decision.action == MERGE:
        return "a merge is for a whole identity. Leave digest empty" if decision.digest else None
    if not decision.apart and not _DIGEST.fullmatch(decision.digest):
        return (
            f"digest {decision.digest!r} is not a sha256 (64 lowercase hexadecimal digits). Copy image_id "
            "of data/raw/manifest.parquet"
        )
    return None


def _wrong_target(decision: Decision) -> str | None:
    if decision.action not in TARGETED and not decision.apart:
        return f"{decision.action} has no target. Leave target empty" if decision.target else None
    if not decision.target.strip():
        return f"target is empty. Write the identity to {decision.action} to"
    if decision.target == decision.identity:
        return f"target is the identity itself, {decision.identity}. Write another one, or remove the line"
    return None


def _wrong_time(decision: Decision) -> str | None:
    try:
        if _WHEN.fullmatch(decision.when):
            datetime.strptime(decision.when, _TIME)
            return None
    except ValueError:
        pass
    return f"when {decision.when!r} is not a time like 2026-12-01T09:30:00Z (UTC, seconds). Correct it"
