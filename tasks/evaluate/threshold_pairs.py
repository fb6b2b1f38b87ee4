"""The pairs that choose the threshold where none is learnt from other folds: of people who did not train.

A network tells the people it has trained on apart better than any others: a threshold taken from them lies
too low for strangers.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

import pandas as pd

from facenet.evaluation.pair_generation import generate_pairs
from facenet.identity import fold_name
from tasks.evaluate.pairs import COLUMNS, NAMES, Pairs, person_of

FEWEST = 25  # pairs of each kind that a threshold can be taken from
MOST = 1000  # pairs of each kind that are made

logger = logging.getLogger(__name__)


def without_trained(pairs: Pairs, trained: AbstractSet[str], held_out: Mapping[str, str], seed: int) -> Pairs:
    """Return the pairs without those of fold -1 that have a person among the `trained`.

    Where fewer than 25 of a kind would be left, pairs are made of the photos held out from training. If that
    is not enough either, all stay, with a warning.

    trained: folded names. held_out: the person of each photo that could have trained, also of those that did.
    """
    usable = pairs.usable
    threshold = usable["fold"] < 0
    known = [usable[side].map(lambda name: fold_name(person_of(name)) in trained) for side in NAMES]
    seen = threshold & (known[0] | known[1])
    if not seen.any():
        return pairs
    left = replace(pairs, usable=usable[~seen], known=tuple(usable.index[seen]))
    if _fewest(left.usable) >= FEWEST:
        return left
    made = _make({photo: who for photo, who in held_out.items() if fold_name(who) not in trained}, seed)
    if _fewest(made) < FEWEST:
        logger.warning(
            "%d of %d pairs that choose the threshold show people who trained, and too few others are left: "
            "the threshold will lie too low for strangers. Raise triplets.validation_fraction.",
            *(seen.sum(), threshold.sum()),
        )
        return pairs
    made.index += pairs.table.index.max() + 1
    return replace(left, usable=pd.concat([left.usable, made]), made=len(made))


def _fewest(table: pd.DataFrame) -> int:
    """Return the number of pairs of fold -1 of the rarer kind."""
    same = table.loc[table["fold"] < 0, "same"].astype(bool)
    return int(min(same.sum(), (~same).sum()))


def _make(photos: Mapping[str, str], seed: int) -> pd.DataFrame:
    """Return pairs of photos, given with their people, as rows of fold -1; equally many of each kind."""
    of_person: defaultdict[str, list[str]] = defaultdict(list)
    for photo in sorted(photos):
        of_person[photos[photo]].append(photo)
    numbers = {person: range(len(own)) for person, own in of_person.items()}
    rows = []
    for pair in generate_pairs(numbers, folds=1, pairs_per_fold=MOST, seed=seed):
        photos_of_pair = (of_person[side.identity][side.number] for side in (pair.left, pair.right))
        names = (f"{side.identity}/{side.number}" for side in (pair.left, pair.right))
        rows.append((*photos_of_pair, pair.same, -1, *names))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"same": bool, "fold": "int32"})
