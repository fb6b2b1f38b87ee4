"""The comparison of a new version with the champion, for the receipt and the report."""

from dataclasses import asdict
from typing import Any

from tasks.promotion.paired import COMPARABLE, common_pairs
from tasks.tracking.registry import CHAMPION, Version, aliased_version

METRICS = ("accuracy", "val", "auc", "eer")
SAME_PAIRS = (*COMPARABLE, "pairs_used")  # tags that agree if the reported metrics are on the same pairs


def compare_with_champion(version: Version) -> dict[str, Any] | None:
    """Return the comparison of `version` with the champion of its model, None without a champion.

    The keys are `version` (the champion's number), `figures` (the champion's metrics), `alike` (whether both
    were scored on the same pairs with the same protocol) and `paired` (the comparison on the pairs that both
    scored, None if the decisions of either version are missing).

    Raises:
        TrackingFailed: the server cannot be reached or rejected a request.
        DataInvalid: a decisions file does not match the digest in its version's tags.
    """
    champion = aliased_version(version.model, CHAMPION)
    if champion is None:
        return None
    common = common_pairs(version, champion)
    same_tags = all(version.tags.get(tag) == champion.tags.get(tag) for tag in SAME_PAIRS)
    return {
        "version": champion.number,
        "figures": {name: value for name in METRICS if (value := champion.metric(name)) is not None},
        "alike": same_tags and (common is None or common.identical),
        "paired": asdict(common.comparison) if common and common.comparison else None,
    }
