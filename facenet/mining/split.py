"""Split people into training and validation, so that no person is in both."""

import hashlib
from collections.abc import Sequence


def split_identities(identities: Sequence[str], fraction: float, seed: int) -> set[str]:
    """Return the `fraction` of people for validation: those with the smallest sha256 of seed and name.

    A person's rank does not depend on the others, so that adding people moves few existing ones.
    """
    ranked = sorted(identities, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    return set(ranked[: int(fraction * len(ranked) + 0.5)])
