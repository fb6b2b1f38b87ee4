"""The pairs of the stage: which are usable, the protocol's name, and people who are also in training."""

import logging
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.errors import DataInvalid, PairsFileInvalid
from facenet.evaluation.protocol import PairRows, check_scorable
from facenet.evaluation.threshold_rule import ThresholdRule, threshold_rule
from facenet.evaluation.unseen_people import pairs_of_strangers
from facenet.identity import fold_name
from tasks.params.sources import Source

NAMES = ("left_name", "right_name")
Missing = Literal["fail", "fallback", "skip"]
COLUMNS = ("left", "right", "same", "fold", *NAMES)
SHOWN = 5  # names per message

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pairs:
    """All pairs of data/raw/pairs.parquet, and those whose two photos have a stored face.

    table: one row per pair, in file order. usable: the rows of `table` that can be used, in the same order.
    known: the index of the fold -1 pairs that are not used because their people were trained on.
    """

    table: pd.DataFrame
    usable: pd.DataFrame
    known: tuple[int, ...] = ()

    @property
    def trained(self) -> int:
        """The number of fold -1 pairs that are not used because their people were trained on."""
        return len(self.known)

    @property
    def threshold_rule(self) -> ThresholdRule:
        """The rule by which the usable pairs choose the threshold."""
        return threshold_rule(self.usable["same"].to_numpy(bool), self.usable["fold"].to_numpy(np.int32))

    @property
    def photos(self) -> set[str]:
        """The photos of the usable pairs."""
        return set(self.usable["left"]) | set(self.usable["right"])

    @property
    def negatives(self) -> int:
        """The number of scored pairs of different people."""
        return int((~self.usable["same"].astype(bool) & (self.usable["fold"] >= 0)).sum())

    @property
    def people(self) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
        """The people in the left and right photos of the usable pairs."""
        left, right = (np.array([_person(name) for name in self.usable[side]], np.str_) for side in NAMES)
        return left, right

    def left_out(self, stored: Collection[str]) -> pd.DataFrame:
        """Return the unused pairs with the reason: no photo, no face or trained."""
        lost = self.table.drop(self.usable.index)
        present = lost["left"].isin(stored) & lost["right"].isin(stored)
        reason = np.where(~present, "no photo", np.where(lost.index.isin(self.known), "trained", "no face"))
        return lost[[*NAMES, "same", "fold"]].assign(reason=reason)

    def counts(self) -> dict[str, Any]:
        """Return the numbers of pairs, in total and used; fold -1 is counted separately: it is not scored."""
        scored, used = (int((t["fold"] >= 0).sum()) for t in (self.table, self.usable))
        return {
            "pairs_total": scored,
            "pairs_used": used,
            "coverage": used / scored if scored else 0.0,
            "threshold_pairs_total": len(self.table) - scored,
            "threshold_pairs_used": len(self.usable) - used,
            "threshold_pairs_trained": self.trained,
            "folds": int(self.table.loc[self.table["fold"] >= 0, "fold"].nunique()),
        }

    def rows(self, image_ids: Sequence[str]) -> PairRows:
        """Return the usable pairs as rows of `image_ids`."""
        number = {image_id: row for row, image_id in enumerate(image_ids)}
        left, right = (np.asarray(self.usable[side].map(number), np.int64) for side in ("left", "right"))
        return PairRows(
            left=left,
            right=right,
            same=self.usable["same"].to_numpy(bool),
            fold=self.usable["fold"].to_numpy(np.int32),
        )


def read_pairs(
    path: Path, stored: Collection[str], *, fallbacks: Collection[str] = (), missing: Missing = "fallback"
) -> Pairs:
    """Return the pairs of a file and which of them are usable.

    Args:
        path: data/raw/pairs.parquet.
        stored: the photos with a stored face.
        fallbacks: those of them without a detected face, for which the centre of the photo is stored.
        missing: fail: every pair must have two detected faces. fallback: fallbacks are used; pairs with a
            missing photo are left out, logged and counted. skip: so are pairs with a fallback.

    Raises:
        PairsFileInvalid: the file or a column is missing, the pairs cannot be scored, or `missing` is "fail"
            and a face is missing.
    """
    if not path.exists():
        raise PairsFileInvalid(f"{path} does not exist. Run `dvc repro ingest`.")
    table = pd.read_parquet(path)
    absent = [column for column in COLUMNS if column not in table]
    if absent:
        raise PairsFileInvalid(f"{path} has no column {', '.join(absent)}. Run `dvc repro ingest`.")
    good = set(stored) - (set() if missing == "fallback" else set(fallbacks))
    present = table["left"].isin(good) & table["right"].isin(good)
    if missing == "fail" and not present.all():
        raise PairsFileInvalid(
            f"{_missing(table[~present], len(table), 'face')}. Check data/aligned/rejects.parquet, or set "
            "evaluate.missing to fallback or skip."
        )
    pairs = Pairs(table, table[present])
    scored = table["fold"] >= 0
    if not (present & scored).any():
        raise PairsFileInvalid(
            f"None of the {int(scored.sum())} pairs to score in {path} has both photos among the "
            f"{len(stored)} stored faces. Compare the names in the pairs file with data/raw/manifest.parquet."
        )
    if not present.all():
        what = "photo" if missing == "fallback" else "face"
        logger.warning("%s", _missing(table[~present], len(table), what))
    check_scorable(pairs.usable["same"].to_numpy(bool), pairs.usable["fold"].to_numpy(np.int32))
    return pairs


def _missing(lost: pd.DataFrame, total: int, what: str) -> str:
    names = [f"{a} - {b}" for a, b in zip(lost["left_name"], lost["right_name"], strict=True)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{len(names)} of {total} pairs are missing a {what}: {', '.join(names[:SHOWN])}{more}"


def protocol_name(sources: Sequence[Source], folds: int) -> str:
    """Return the established name of the protocol, or the name of the pairs file."""
    names = [name for source in sources if (name := source.protocol(folds))]
    return " + ".join(names) or f"generated pairs, {folds} folds"


def trained_people(identities: Path) -> tuple[set[str], set[str]]:
    """Return the folded names of the people trained on, and of those and the validation people.

    Raises:
        DataInvalid: the table of identities is missing.
    """
    if not identities.exists():
        raise DataInvalid(f"{identities} does not exist. Run `dvc repro triplets`.")
    people = pd.read_parquet(identities)
    trained = {fold_name(name) for name in people.loc[people["split"] == "train", "identity"]}
    return trained, {fold_name(name) for name in people["identity"]}


def shared_identities(pairs: Pairs, trained: AbstractSet[str]) -> list[str]:
    """Return the people of scored pairs whose folded names are among the `trained`, sorted.

    Fold -1 is not scored: View 1 draws it from the training people.
    """
    scored = pairs.table[pairs.table["fold"] >= 0]
    evaluated = {_person(name) for name in pd.concat([scored["left_name"], scored["right_name"]]).unique()}
    return sorted(name for name in evaluated if fold_name(name) in trained)


def without_trained(pairs: Pairs, trained: AbstractSet[str]) -> Pairs:
    """Return the pairs without those of fold -1 that show a person among the `trained`.

    If too few pairs of a class would remain, all are used, with a warning: see
    facenet.evaluation.unseen_people.
    """
    usable = pairs.usable
    left, right = (usable[side].map(lambda name: fold_name(_person(name)) in trained) for side in NAMES)
    known, choosing = left | right, usable["fold"] < 0
    if not (choosing & known).any():
        return pairs
    stay = pairs_of_strangers(
        usable["same"].to_numpy(bool), usable["fold"].to_numpy(np.int32), known.to_numpy(bool)
    )
    if stay is None:
        logger.warning(
            "%d of %d pairs that choose the threshold show people trained on, and too few others remain: "
            "the threshold will be too low for new people. Increase triplets.validation_fraction.",
            *((choosing & known).sum(), choosing.sum()),
        )
        return pairs
    return replace(pairs, usable=usable[stay], known=tuple(usable.index[~stay]))


def _person(name: str) -> str:
    """Return the person of a photo: Name of Name/Name_0001."""
    return name.rpartition("/")[0]
