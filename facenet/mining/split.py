"""Who validates: a split by person, so that nobody is on both sides."""

import hashlib
from collections.abc import Sequence


def split_identities(identities: Sequence[str], fraction: float, seed: int) -> set[str]:
    """Return the `fraction` of people who validate: those whose name and seed have the smallest sha256.

    A person's place does not depend on the others, so that new people move few of the old ones.
    """
    ranked = sorted(identities, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    return set(ranked[: int(fraction * len(ranked) + 0.5)])
