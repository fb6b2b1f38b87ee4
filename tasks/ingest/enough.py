"""Check that there are enough people to train and to evaluate on, before the stages that need them."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from facenet.errors import DataInvalid
from tasks.ingest.protocol import Row
from tasks.ingest.records import Record

FOLDS = 2  # a fold's threshold comes from the others
PEOPLE = 2 * FOLDS  # a fold needs two people to have a different pair
TRAINED = 2  # people; a loss compares different people
FEW = 10  # evaluated people; with fewer, chance decides the metrics
ROLES = ("train", "evaluate")
ADVICE = f"""\
{2 * PEOPLE} people with two photos each are the least for both uses; 40 or more are better.
  * Add people, or photos of people who have only one, to ingest.sources.
  * Move people from one use to the other: ingest.held_out_identities, or the role of a source.
  * Or train nothing: set train.init to given weights, train.epochs to 0, and role: evaluate in the source.
    Then {PEOPLE} people are enough."""

logger = logging.getLogger(__name__)


class Needs(NamedTuple):
    """What later stages do with the people.

    training: whether a model is trained at all. min_images, validation_fraction: of section triplets; the
    fraction is 0 if validation does not take whole people.
    """

    training: bool
    min_images: int
    validation_fraction: float


def check_people(records: Sequence[Record], drawn: bool, rows: Iterable[Row], needs: Needs) -> None:
    """Check that the people are enough for the stages that follow, and warn if the evaluated ones are few.

    Args:
        records: with their final roles and statuses.
        drawn: whether the pairs were generated; pairs of a source are not checked here.
        rows: of the pairs.
        needs: of the later stages.

    Raises:
        DataInvalid: with the number of people that there are and that are needed, and what to do.
    """
    photos = {role: Counter(r.identity for r in records if r.kept and r.role == role) for role in ROLES}
    problems = []
    if drawn:
        folds = {row["fold"] for row in rows if row["fold"] >= 0}
        if len(folds) < FOLDS:
            problems.append(_too_few_evaluated(photos["evaluate"], len(folds)))
        elif len(photos["evaluate"]) < FEW:
            logger.warning(
                "Only %d people are evaluated: their metrics vary greatly by chance. Use %d or more.",
                len(photos["evaluate"]),
                FEW,
            )
    if needs.training:
        able = sum(count >= needs.min_images for count in photos["train"].values())
        validating = int(needs.validation_fraction * able + 0.5)
        if able - validating < TRAINED:
            problems.append(_too_few_trained(photos["train"], able, validating, needs))
    if problems:
        raise DataInvalid("\n".join(["There are too few people:", *problems, ADVICE]))


def _too_few_evaluated(photos: "Counter[Any]", folds: int) -> str:
    able = sum(count > 1 for count in photos.values())
    return (
        f"  * evaluation needs at least {PEOPLE} people, {FOLDS} of them with two photos, for pairs in "
        f"{FOLDS} folds: it has {len(photos)} people ({able} with two photos), enough for {folds}."
    )


def _too_few_trained(photos: "Counter[Any]", able: int, validating: int, needs: Needs) -> str:
    return (
        f"  * training needs at least {TRAINED} people with {needs.min_images} photos (triplets.min_images): "
        f"of {len(photos)} people, {able} have as many, and {validating} of them are for validation "
        "(triplets.validation_fraction)."
    )
