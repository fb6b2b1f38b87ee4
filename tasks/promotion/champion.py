"""What the register stage tells of the champion, for the receipt and for the report."""

from dataclasses import asdict
from typing import Any

from tasks.promotion.paired import COMPARABLE, compare_versions
from tasks.tracking.registry import CHAMPION, Version, aliased_version

METRICS = ("accuracy", "val", "auc", "eer")


def beside_champion(version: Version) -> dict[str, Any] | None:
    """Return how `version` stands beside the champion of its model, None if there is none.

    version: the champion's number. metrics: its own. alike: whether both were evaluated on the same pairs by
    the same protocol. paired: how they differ pair by pair, None where this workspace lacks the decisions of
    one of them.

    Raises:
        TrackingFailed: the server cannot be reached or refuses.
        DataInvalid: a file of decisions is not the one that its version was registered with.
    """
    champion = aliased_version(version.model, CHAMPION)
    if champion is None:
        return None
    paired = compare_versions(version, champion)
    return {
        "version": champion.number,
        "figures": {name: float(champion.tags[name]) for name in METRICS if name in champion.tags},
        "alike": all(version.tags.get(tag) == champion.tags.get(tag) for tag in COMPARABLE),
        "paired": None if paired is None else asdict(paired),
    }
